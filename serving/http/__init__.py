"""The HTTP service."""

PACKAGES = ("faiss", "fastapi", "uvicorn", "httptools", "httpx", "prometheus_client")
"""What it needs of requirements-serve.lock"""
