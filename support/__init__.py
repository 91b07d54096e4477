"""What every layer uses: input errors, progress, atomic files, threads and devices, Spark, pages."""
