from harness import isolated


def test_what_it_prints(root, tmp_path):
    isolated.run("harness.demo", "printed", tmp_path, work=tmp_path)
