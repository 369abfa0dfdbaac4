"""Each pass makes a program shorter, and what it computes stays the same to the last bit."""

from dataclasses import replace

import numpy as np
import pytest

from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import passes
from tinygrad_bp.compiling.buffers import in_buffers
from tinygrad_bp.compiling.program import Name, Program, names_in
from tinygrad_bp.compiling.recording import record_step
from tinygrad_bp.compiling.transcript import Transcript


def written(f, *arrays):
    """The program of a function of arrays."""
    transcript = Transcript()
    inputs = [transcript.given(f"x{i}", array) for i, array in enumerate(arrays)]
    result = f(*inputs)
    return Program(
        tuple(transcript.inputs),
        tuple(transcript.lines),
        {"result": getattr(result, "name", result)},
        transcript.values,
    )


def run(program):
    """What the outputs are, line by line, from the inputs alone."""
    values = {name: program.values[name] for name in program.inputs}
    for line in program.lines:
        values[line.target] = passes.run_line(line, values)
    return {k: values[x] if isinstance(x, Name) else x for k, x in program.outputs.items()}


def functions(program):
    return [line.function for line in program.lines]


def network(loss=functional.cross_entropy, dtype=np.float64, **options):
    model = nn.MLP([3, 4, 3], seed=0, dtype=dtype, **options)
    generator = np.random.default_rng(1)
    batch = generator.normal(size=(6, 3)).astype(dtype), generator.integers(0, 3, 6)
    optimizer = optim.Adam(model.parameters(), 0.1, max_norm=0.1)
    tensors = list(model.named_tensors().values())
    return record_step(lambda x, y: loss(model(x), y), tensors, optimizer, batch, True).program


NETWORKS = [network(), network(dtype=np.float32), network(dropout=0.5, normalization="layer")]


@pytest.mark.parametrize("shorten", passes.PASSES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("program", NETWORKS, ids=["float64", "float32", "dropout"])
def test_a_pass_changes_no_bit(shorten, program):
    before, after = run(program), run(shorten(program))
    assert before.keys() == after.keys()
    for role in before:
        np.testing.assert_array_equal(after[role], before[role])
        assert np.result_type(after[role]) == np.result_type(before[role])


@pytest.mark.parametrize("program", NETWORKS, ids=["float64", "float32", "dropout"])
def test_all_passes_together_change_no_bit_and_leave_fewer_lines(program):
    short = passes.optimized(program)
    assert len(short.lines) < 0.9 * len(program.lines)
    before, after = run(program), run(short)
    for role in before:
        np.testing.assert_array_equal(after[role], before[role])


def test_constants_are_folded():
    x = np.ones(3)
    program = written(lambda x: (np.ones_like(x) * 2 + 1) * x * 1.0, x)
    short = passes.constants_folded(program)
    assert functions(short) == [np.multiply]
    assert short.lines[0].operands[0].tolist() == [3.0, 3.0, 3.0]


def test_what_is_computed_twice_is_computed_once():
    program = written(lambda x: np.exp(x + 1) * np.exp(x + 1) + np.exp(x + 1.0), np.ones(3))
    short = passes.dead_dropped(passes.common_merged(program))
    assert functions(short).count(np.exp) == 2  # 1 and 1.0 are not the same


def test_a_negative_zero_is_not_zero():
    program = written(lambda x: np.copysign(x, 0.0) + np.copysign(x, -0.0), np.ones(3))
    assert functions(passes.common_merged(program)).count(np.copysign) == 2


def test_calls_are_shortened_where_nothing_changes():
    x = np.random.default_rng(0).normal(size=(4, 4))
    short = passes.calls_shortened(written(lambda x: np.sum(x @ x), x))
    assert functions(short) == [np.dot, np.add.reduce]
    half = passes.calls_shortened(written(lambda x: x @ x, np.ones((2, 2, 2))))
    assert functions(half) == [np.matmul]


def test_what_nobody_needs_is_dropped_and_guards_stay():
    def f(x):
        np.cos(x)
        return np.sin(x) if np.max(x) > 0 else x

    short = passes.dead_dropped(written(f, np.ones(3)))
    assert functions(short) == [np.max, np.greater, bool, np.sin]


def test_reductions_with_and_without_their_axes_are_one():
    def f(x):
        return np.add.reduce(x, axis=1) + np.add.reduce(x, axis=1, keepdims=True)

    program = written(f, np.arange(9.0).reshape(3, 3))
    short = passes.reductions_shared(program)
    assert functions(short).count(np.add.reduce) == 1
    np.testing.assert_array_equal(run(short)["result"], run(program)["result"])


def test_row_sums_as_products_round_otherwise_and_are_not_among_the_exact():
    x = np.random.default_rng(0).normal(size=(50, 3))
    program = written(lambda x: np.add.reduce(x, axis=0), x)
    short = passes.row_sums(program)
    assert functions(short) == [np.dot]
    np.testing.assert_allclose(run(short)["result"], run(program)["result"], rtol=1e-13)
    assert passes.row_sums not in passes.PASSES


@pytest.mark.parametrize("program", NETWORKS, ids=["float64", "float32", "dropout"])
def test_buffers_are_used_again_and_none_is_written_while_somebody_reads_it(program):
    short = passes.optimized(program)
    right = run(short)
    inside, buffers = in_buffers(short, {}, frozenset(short.outputs))
    whole = [b for b in buffers if b.part_of is None]
    wanted = [line for line in inside.lines if line.out is not None]
    assert len(whole) < len(wanted)
    memory = {b.name: np.full(b.shape, np.nan, b.dtype) for b in whole if b.dtype.kind == "f"}
    memory |= {b.name: np.zeros(b.shape, b.dtype) for b in whole if b.dtype.kind != "f"}
    for b in buffers:
        if b.part_of is not None:
            stop = b.start + int(np.prod(b.shape))
            memory[b.name] = memory[b.part_of][b.start : stop].reshape(b.shape)
    values = {**memory, **{name: program.values[name] for name in program.inputs}}
    for line in inside.lines:
        found = passes.run_line(line, values)
        if line.out is not None:
            values[line.out][...] = found
            found = values[line.out]
        values[line.target] = found
    for role, x in inside.outputs.items():
        now = values[x] if isinstance(x, Name) else x
        np.testing.assert_array_equal(now, right[role])


def test_every_name_is_made_before_it_is_read():
    for program in NETWORKS:
        short = passes.optimized(program)
        known = set(short.inputs)
        for line in short.lines:
            assert set(line.uses()) <= known
            known.add(line.target)
        assert set(names_in(short.outputs)) <= known


def test_the_scores_of_labels_are_picked_by_a_mask():
    program = passes.optimized(network(), passes.PASSES)
    assert np.where not in functions(program)
    without = tuple(p for p in passes.PASSES if p is not passes.labels_picked)
    before, after = run(passes.optimized(network(), without)), run(program)
    for role in before:
        np.testing.assert_array_equal(after[role], before[role])


@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("wrong", [1, 5, 6])
def test_labels_out_of_range_are_not_picked(label, wrong):
    program = passes.optimized(network(), passes.PASSES)
    labels = program.values[Name("y")].copy()
    labels[:wrong] = label
    with pytest.raises(ValueError, match="reshape"):
        run(replace(program, values=program.values | {Name("y"): labels}))
