"""Tables and plots that the scripts of this folder write into docs/."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "poolctl", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
                            "axes.spines.top": False, "axes.spines.right": False})
import matplotlib.pyplot as plt

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(header, rows, right=()):
    """A Markdown table; the columns in right are aligned to the right."""
    rule = ["---:" if i in right else "---" for i in range(len(header))]
    return "".join("| " + " | ".join(row) + " |\n" for row in [header, rule, *rows])


def fill(page, name, text):
    """Puts text between the comments <!-- NAME --> and <!-- end of NAME --> of a page."""
    path = DOCS / page
    old = path.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, rest = old.split(begin)
    path.write_text(head + begin + text + end + rest.split(end)[1])


def save(figure, name):
    figure.savefig(DOCS / "images" / name, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
