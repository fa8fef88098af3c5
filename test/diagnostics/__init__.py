"""Diagnostics of a running gateway: JSON, pages, who may see them, and what nobody sees."""
