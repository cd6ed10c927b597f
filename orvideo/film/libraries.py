"""The libraries of this room, which an extra installs."""


def load() -> None:
    """Import them: what needs them later asks before it begins. Raises ModuleNotFoundError."""
    import av  # noqa: F401
    import PIL  # noqa: F401
