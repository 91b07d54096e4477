"""What a notebook's cells have left."""

from nbformat import NotebookNode


def outputs(notebook: NotebookNode, cell: str) -> list[NotebookNode]:
    return next(each["outputs"] for each in notebook.cells if each["id"] == cell)


def printed(notebook: NotebookNode, cell: str) -> str:
    return "".join(each.get("text", "") for each in outputs(notebook, cell))


def shown(notebook: NotebookNode, cell: str, kind: str) -> list[str]:
    return [each["data"][kind] for each in outputs(notebook, cell) if kind in each.get("data", {})]
