"""Load on the HTTP service: what is measured, its records, and the tables of docs/serving.md."""
