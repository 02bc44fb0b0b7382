"""``python -m n2d2py`` is the same as ``n2d2py``."""

from n2d2py.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
