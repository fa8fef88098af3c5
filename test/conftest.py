import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))


def pytest_addoption(parser):
    parser.addoption("--rewrite-golden", action="store_true", help="write the expected files of test/golden instead of comparing")
