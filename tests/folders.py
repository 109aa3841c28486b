"""Where tests find what they read, wherever they are themselves."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
SMALL_SITES = ROOT / "tests" / "sites"
GOLDEN = ROOT / "tests" / "golden"
SHARED = ROOT.parent / "shared"
"""Benchmarks, maps and schemas of others; they may be missing."""
