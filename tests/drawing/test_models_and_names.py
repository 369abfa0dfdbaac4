"""Names cannot break a page, and drawing a model changes nothing in it."""

import tinygrad_bp as bp
from tests.train.training import X
from tinygrad_bp import nn


def test_a_name_cannot_open_a_comment_or_a_tag_in_the_pages_script(tmp_path):
    x = bp.Tensor(2.0, requires_grad=True, name="<!--<script>")
    bp.animate(x * x, tmp_path / "x.html")
    script = (tmp_path / "x.html").read_text(encoding="utf-8").rpartition("<script>")[2]
    assert "const steps" in script
    assert "<!--" not in script


def test_drawing_a_model_leaves_it_as_it_was_and_draws_the_same_again():
    model = nn.MLP([2, 4, 1], normalization="batch", dropout=0.5, seed=0)
    state = model.state_dict()
    assert bp.draw(model, X).source == bp.draw(model, X).source
    assert all((state[name] == array).all() for name, array in model.state_dict().items())
    assert model.training
