"""Speed, measured: suites for pytest-benchmark, and scripts that derive pages from stored runs."""
