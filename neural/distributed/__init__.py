"""A training step that several processes share; see docs/torchrun.md."""
