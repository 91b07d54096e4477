"""Clients that mean harm or have bugs, against a real service; what is right after each of their tries."""
