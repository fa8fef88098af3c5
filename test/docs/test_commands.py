"""What pages tell to type is typed by a test, and what they name exists: targets, commands and their flags, variables, metrics, files, links."""
import os
import re
import subprocess
import sys

import pytest
import yaml

from harness import paths
from harness.walkthrough import BLOCK, NOT_FOLLOWED, excused, sections

PAGES = sorted(str(page.relative_to(paths.ROOT)) for page in paths.ROOT.rglob("*.md")
               if not page.relative_to(paths.ROOT).parts[0].startswith((".", "build")))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
TEST_CODE = [paths.TEST / "harness" / "demo.py", *(paths.TEST / "docs").glob("*.py")]
FOLLOWED = {(page, section or None) for code in TEST_CODE
            for page, section in re.findall(r'\.follow\("(\S+?\.md)"(?:, "([^"]+)")?', code.read_text())}
SOURCES = [path for folder in ("src", "scripts", "test", "deploy", "deps", "bench", "cmake", "Makefile")
           for path in [paths.ROOT / folder, *(paths.ROOT / folder).rglob("*")] if path.is_file() and path.suffix != ".md"]


def text(page):
    return (paths.ROOT / page).read_text()


def prose(page):
    return FENCE.sub("", text(page))


def words():
    """(page, what stands between backquotes)"""
    return [(page, word) for page in PAGES for word in INLINE.findall(prose(page))]


def test_every_command_is_followed_or_excused():
    assert len(FOLLOWED) > 5
    for page in PAGES:
        for section, part in sections(page).items():
            for block in BLOCK.finditer(part):
                assert (page, None) in FOLLOWED or (page, section) in FOLLOWED or excused(page, block["commands"]), \
                    f"{page}: nobody follows\n{block['commands']}"


def test_every_excuse_is_needed():
    for page, starts in NOT_FOLLOWED.items():
        found = [block["commands"] for block in BLOCK.finditer(text(page))]
        assert all(any(commands.startswith(start) for commands in found) for start in starts), page


@pytest.mark.parametrize("page", PAGES)
def test_no_command_hides(page):
    """Blocks are fenced and say what they hold, so that ```sh is all that is to be typed."""
    assert not re.search(r"^(?: {4}|\t)", re.sub(r"^( *)[-*\d].*\n(?:\1 +.*\n)*", "", prose(page), flags=re.M), re.M), "an indented block"
    assert len(re.findall(r"^```", text(page), re.M)) == 2 * len(FENCE.findall(text(page)))
    for kind, content in FENCE.findall(text(page)):
        assert kind in ("sh", "yaml", "python", "text"), content
        assert kind == "sh" or not re.search(r"^\$ |^(make|kubectl|helm|curl|build/emissary) ", content, re.M), content


def excused_lines():
    return [(page, line.split("#")[0].strip()) for page in NOT_FOLLOWED for block in BLOCK.finditer(text(page)) for line in block["commands"].splitlines()]


def test_targets_exist():
    """`make -n` of each."""
    found = {match[1]: page for page, line in [*words(), *excused_lines()]
             if (match := re.match(r"(?:[A-Z_]+=\S+ )?make ([a-z-]+(?: [A-Z_]+=\S+)?)", line))}
    assert len(found) > 20
    for command, page in found.items():
        done = subprocess.run(["make", "-n", "VERSION=1.0.0", *command.split()], cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"{page}: make {command}: {done.stdout}"


def test_flags_of_benchmarks_exist():
    named = {flag for page in PAGES for flag in re.findall(r"BENCH=(--[\w-]+)", text(page))}
    assert named and all(f'"{flag}"' in text("bench/run.py") for flag in named), named


def test_presets_exist():
    presets = set(re.findall(r'"name": "(\w+)"', text("CMakePresets.json")))
    assert {name for _, word in words() for name in re.findall(r"--preset (\w+)", word)} <= presets


def test_flags_of_the_program_exist():
    reference = text("docs/program.md")
    of = {name: set(re.findall(r"--[\w-]+", part)) for name, part in re.findall(r"^### emissary (\S+)\n\n```text\n(.*?)^```$", reference, re.M | re.S)}
    typed = [(page, word) for page, word in words() if re.match(r"(build/)?emissary ", word)]
    assert len(typed) > 20 and "run" in of
    for page, word in typed:
        _, command, *rest = word.split("|")[0].split()
        assert command in of, f"{page}: {word}"
        assert {flag for flag in rest if flag.startswith("--")} <= of[command], f"{page}: {word}"
    others = {"--force-conflicts": "kubectl", "--disable-extensions": "Envoy"}
    alone = {word.split()[0]: page for page, word in words() if word.startswith("--")}
    assert not {flag: page for flag, page in alone.items() if flag not in set().union(*of.values()) | others.keys()}


def test_flags_of_others_exist():
    """Of helm and kubectl, where they are named in passing."""
    typed = {word: page for page, word in words() for word in word.split(" | ") if re.match(r"(helm|kubectl) [a-z-]+", word)}
    assert len(typed) > 8
    for word, page in typed.items():
        tool, command, *rest = word.split()
        done = subprocess.run([paths.kubernetes() / tool, command, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert f"{tool} {command}" in done.stdout, f"{page}: {word}"
        flags = {flag.split("=")[0] for flag in rest if flag.startswith("-") and flag != "-"}
        assert all(re.search(rf"(^|\s){flag}\b", done.stdout) for flag in flags), f"{page}: {word}"


def test_names_exist():
    """Variables and metrics are spelt as in the sources."""
    everything = {word for path in SOURCES for word in re.findall(r"\w+", path.read_text(errors="replace"))}
    names = {name: page for page, word in words() for name in re.findall(r"^(?:(?:AMBASSADOR|EMISSARY|AES)_[A-Z0-9_]*[A-Z0-9](?=$|=)|emissary_[a-z_]+)", word)}
    assert len(names) > 50
    assert not {name: page for name, page in names.items() if name not in everything}


def test_values_of_charts_exist():
    charts = [yaml.safe_load(text(f"deploy/{chart}/values.yaml")) for chart in ("chart", "chart-crds")]
    named = [(page, path) for page, word in words() if (path := re.sub(r"=.*", "", word).split("."))[0] in charts[0].keys() | charts[1].keys()
             and (len(path) > 1 or "=" in word)]
    assert len(named) > 60
    for page, path in named:
        assert any(there(values, path) for values in charts), f"{page}: {'.'.join(path)}"


def there(values, path):
    """Below an empty map or a list anything may be."""
    for key in path:
        if values in ({}, []) or not isinstance(values, dict):
            return values in ({}, [])
        if key not in values:
            return False
        values = values[key]
    return True


def test_paths_exist():
    tops = {entry.name for entry in paths.ROOT.iterdir()} - {"build"}
    named = [(page, word) for page, word in words() if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word) and word.split("/")[0] in tops]
    assert len(named) > 60
    for page, word in named:
        assert (paths.ROOT / word).exists(), f"{page}: {word}"


def anchors(page):
    heads = [re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", text(page), re.M)]
    return {*heads, *re.findall(r'(?:id|name)="(.*?)"', text(page))}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", prose(page)):
        if not target.startswith(("http:", "https:")):
            there = os.path.normpath(os.path.join(os.path.dirname(page), target)) if target else page
            assert (paths.ROOT / there).exists(), target
            assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


def test_the_tests_that_their_page_names():
    """The folder and the `-k` of each row of its table, and of the command below it."""
    page = text("test/README.md")
    rows = re.findall(r"^\| `(\w+)/` \|.*\| `-k (\S+)` \|$", page, re.M) + re.findall(r"pytest test/(\w+) -k (\S+)$", page, re.M)
    assert len(rows) > 8
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "test"], cwd=paths.ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for folder, wanted in rows:
        assert re.search(rf"^{folder}/.*{re.escape(wanted)}", done.stdout, re.M), f"{folder}: -k {wanted}"
