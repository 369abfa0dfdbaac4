"""The backward pass step by step: the page tells the truth at every step, and so does the GIF."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.explain import view

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def z():
    x = bp.Tensor(2.0, requires_grad=True, name="x")
    y = bp.Tensor(3.0, requires_grad=True, name="y")
    p, s = x * y, np.sin(x)
    z = p + s
    p.name, s.name, z.name = "p", "s", "z"
    return z


@pytest.fixture
def page(z, tmp_path):
    path = tmp_path / "z.html"
    bp.animate(z, path)
    return path


def steps_of(page):
    return json.loads(re.search(r"const steps = (.*);\n", page.read_text())[1])


def test_every_step_is_told(page):
    steps = steps_of(page)
    assert len(steps) == 7
    assert steps[1]["text"] == "Step 0: z.grad = 1.0000, the seed"
    assert steps[1]["note"] == "z.grad is final: 1.0000. It is used in steps 1, 2."
    assert steps[4]["text"] == "Step 3: x.grad += s.grad × cos x = 1.0000 × -0.4161 = -0.4161"
    assert steps[4]["note"] == "x waits for 1 more term."
    assert steps[5]["text"] == "Step 4: x.grad += p.grad × y = 1.0000 × 3.0000 = 3.0000"
    assert steps[5]["note"] == "x.grad is final: 2.5839."


def test_every_step_can_be_found_in_the_picture(z, page):
    svg = re.search(r"<svg.*</svg>", page.read_text(), re.DOTALL)[0]
    ids = {e.get("id") for e in ElementTree.fromstring(svg).iter() if e.get("id")}
    graph = view(z)
    for edge in graph.edges:
        assert f"n{edge.receiver.number}" in ids
        assert any(re.match(rf"a_s{edge.step}-n{edge.receiver.number}-", i) for i in ids)
        assert edge.consumer is None or f"s{edge.step}-edge" in ids


def test_the_page_needs_no_network(page):
    text = re.sub(r'xmlns(:xlink)?="[^"]*"', "", page.read_text())
    assert "http" not in text
    assert "src=" not in text
    assert "url(" not in text


def test_a_name_cannot_break_out_of_the_page(tmp_path):
    x = bp.Tensor(2.0, requires_grad=True, name="</script><b>")
    bp.animate(x * x, tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    assert text.count("</script>") == 1
    assert "<b>.grad" not in text.replace("\\", "")[: text.index("const steps")]


def in_a_browser(page, profile, script="", step=-1):
    """The page as a browser makes it, with another script run at its end."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium, as apt-get install chromium brings it")
    page.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    done = subprocess.run(
        [
            *[CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
            *["--no-first-run", "--disable-background-networking", "--disable-component-update"],
            *["--disable-sync", f"--user-data-dir={profile}", "--dump-dom"],
            f"file://{page}#step={step}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("step", [-1, 0, 3, 5])
def test_a_browser_shows_what_has_happened_by_a_step(page, tmp_path, step):
    shown = in_a_browser(page, tmp_path / "profile", step=step)
    found = re.findall(r'<g id="(?:a_)?s(\d+)-[^"]*" class="([^"]*)"', shown)
    found += [(s, c) for c, s in re.findall(r'<g class="([^"]*)" id="(?:a_)?s(\d+)-', shown)]
    assert {int(s) for s, c in found if "later" in c.split()} == set(range(step + 1, 6))
    assert {int(s) for s, c in found if "now" in c.split()} == {step} - {-1}
    assert steps_of(page)[step + 1]["note"] in shown


WRITE = """
for (const [node, value] of Object.entries(VALUES)) {
  const field = document.querySelector(`[data-node="${node}"]`);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def words_in(shown, kind, mark):
    """What a browser shows in an element of the picture or the table."""
    found = re.search(rf'<{kind} [^>]*"{mark}"[^>]*>(.*?)</{kind}>', shown, re.DOTALL)
    return [html.unescape(word) for word in re.findall(r">([^<>\n]+)<", found[0])]


def test_a_reader_changes_a_leaf_in_a_browser_and_all_is_found_anew(z, page, tmp_path):
    graph = view(z)
    nodes = {name: graph[name].number for name in "xypsz"}
    values = json.dumps({nodes["x"]: "-0.5", nodes["y"]: "4"})
    shown = in_a_browser(page, tmp_path / "profile", WRITE.replace("VALUES", values), step=5)
    slope, value = 4 + np.cos(0.5), -2 + np.sin(-0.5)
    table = re.search(r"<tbody>.*</tbody>", shown, re.DOTALL)[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("</tr>")[:-1]]
    one = "1.0000"
    assert rows[1][2:] == [f"{value:.4f}", one, "z.grad × 1", one, one, "p", "0"]
    assert rows[3][2:7] == [f"{np.sin(-0.5):.4f}", "1.0000", "s.grad × cos x", "0.8776", "0.8776"]
    assert rows[-1][2:4] == ["-0.5000", f"{slope:.4f}"]
    assert rows[-2][2:4] == ["4.0000", "-0.5000"]
    assert words_in(shown, "g", f"a_n{nodes['x']}-value") == ["-0.5000"]
    assert words_in(shown, "g", f"a_n{nodes['z']}-value") == [f"{value:.4f}"]
    assert words_in(shown, "g", f"a_s4-n{nodes['x']}-sum") == [f"{slope:.4f}"]
    assert words_in(shown, "g", f"a_s4-n{nodes['x']}-amount") == ["+ 4.0000"]
    assert "∂s/∂x = cos x = 0.8776" in shown
    assert "p.grad × x = 1.0000 × -0.5000 = -0.5000" in shown
    assert f'title="x: -0.5; grad: {slope:.12g}' in shown


def test_what_is_no_number_changes_nothing(z, page, tmp_path):
    values = json.dumps({view(z)["x"].number: ""})
    shown = in_a_browser(page, tmp_path / "profile", WRITE.replace("VALUES", values), step=5)
    assert f"{3 + np.cos(2):.4f}" in shown


def test_a_pass_of_arrays_says_that_its_values_stay(tmp_path):
    x = bp.Tensor([3.0, 4.0], requires_grad=True, name="x")
    page = bp.animate(np.sum(x * x)).page
    assert "The values cannot be changed here: only numbers can be changed" in page
    assert "const live = null" in page
    assert '<input type="number"' not in page


def test_the_frames_of_a_gif_stand_still(z, tmp_path):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "z.gif"
    bp.animate(z, path)
    gif = image.open(io.BytesIO(path.read_bytes()))
    assert gif.n_frames == 7
    ink = []
    for step in range(7):
        gif.seek(step)
        frame = np.asarray(gif.convert("L"), dtype=float)
        ink.append(frame)
    body = [frame[90:] for frame in ink]  # below the words, which change
    outline = body[0] < 200
    for frame in body:
        assert (frame[outline] < 200).mean() > 0.99  # what was there is there still
    dark = [(frame < 200).sum() for frame in body]
    assert dark == sorted(dark)
    assert dark[-1] > 1.3 * dark[0]


def test_a_gif_without_pillow_says_what_to_install(z, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        bp.animate(z, tmp_path / "z.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_pass_too_long_to_follow_is_refused(tmp_path):
    x = y = bp.Tensor(1.0, requires_grad=True)
    for _ in range(600):
        y = np.sin(y)
    with pytest.raises(ValueError, match="601 steps, too many"):
        bp.animate(y, tmp_path / "y.html")
    assert x.grad is None


def test_a_wrong_suffix_is_refused(z, tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.html, \.gif, \.svg, \.png"):
        bp.animate(z, tmp_path / "z.mp4")


def test_short_vectors_are_told_entry_by_entry(tmp_path):
    x = bp.Tensor([3.0, 4.0], requires_grad=True, name="x")
    total = np.sum(x * x)
    total.name = "total"
    bp.animate(total, tmp_path / "t.html")
    assert steps_of(tmp_path / "t.html")[-1]["note"] == "x.grad is final: [6.0000 8.0000]."


def test_a_step_is_a_numbered_picture(z, tmp_path):
    bp.animate(z, f"{tmp_path}/steps/")
    assert sorted(p.name for p in (tmp_path / "steps").iterdir()) == [
        f"step-{number}.png" for number in range(7)
    ]
    bp.animate(z, tmp_path / "z.svg", theme="dark", notation="P")
    frames = [(tmp_path / f"z-{number}.svg").read_text() for number in range(7)]
    assert "Step 3: ∂z/∂x += ∂z/∂s × cos x" in frames[4]
    assert all("#0d1117" in frame for frame in frames)


def test_it_shows_itself_in_a_notebook(z):
    animation = bp.animate(z)
    assert repr(animation) == "<Animation: 6 steps>"
    shown = animation._repr_html_()
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', shown)[1])
    assert page == animation.page
    assert page.startswith("<!DOCTYPE html>")
