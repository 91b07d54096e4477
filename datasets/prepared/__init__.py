"""Logs larger than memory: sorted once within a limit, kept in the cache, split part by part, mapped."""
