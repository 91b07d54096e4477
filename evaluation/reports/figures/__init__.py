"""Charts and tables of boards for other documents than the page: SVG and LaTeX."""
