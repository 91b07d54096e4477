"""What Spark forks its Python workers from, with that imported which each of them would take a second for."""

import numba
import pyarrow
from pyspark import worker
from pyspark.daemon import manager

IMPORTED = numba, pyarrow, worker

if __name__ == "__main__":
    manager()
