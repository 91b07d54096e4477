"""What every layer uses: input errors, progress, atomic files, and the choice of threads and device."""
