"""Tables and pages derived from stored runs."""
