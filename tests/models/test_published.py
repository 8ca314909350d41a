import io

import pytest
import torch
from torch import nn
from torch.nn import functional

from extramaze.mazes import InputError
from extramaze.models.contract import card_of
from extramaze.models.published import UNSEEN_NORM, read_published
from tests.models.test_solvers import image


class TheirBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.shortcut = nn.Sequential()

    def forward(self, state):
        return functional.relu(self.conv2(functional.relu(self.conv1(state))) + state)


class TheirNet(nn.Module):
    """A network whose state dictionary has the published layout, made here from the papers' description."""

    def __init__(self, width, blocks, recall, names):
        super().__init__()
        self.recall, self.names = recall, names
        bare = {"kernel_size": 3, "padding": 1, "bias": False}
        residual = [TheirBlock(width) for _ in range(blocks)]
        first = [nn.Conv2d(width + 3, width, **bare)] if recall else []
        body = [*first, nn.Sequential(*residual)] if names[1] == "recur_block" else [*first, *residual]
        parts = (
            nn.Sequential(nn.Conv2d(3, width, **bare), nn.ReLU()),
            nn.Sequential(*body),
            nn.Sequential(
                nn.Conv2d(width, 32, **bare),
                nn.ReLU(),
                nn.Conv2d(32, 8, **bare),
                nn.ReLU(),
                nn.Conv2d(8, 2, **bare),
            ),
        )
        for name, part in zip(names, parts, strict=True):
            self.add_module(name, part)

    def forward(self, x, iterations):
        projection, body, head = (getattr(self, name) for name in self.names)
        state = projection(x)
        for _ in range(iterations):
            state = body(torch.cat([state, x], 1) if self.recall else state)
        return head(state)


DEEP_THINKING = ("projection", "recur_block", "head")
IT_NET = ("input_to_latent_layer", "latent_forward_layer", "latent_to_output_layer")


@pytest.mark.parametrize(
    ("blocks", "recall", "names", "prefix"),
    [(2, True, DEEP_THINKING, ""), (2, False, DEEP_THINKING, "module."), (4, True, IT_NET, "")],
)
def test_published_state_dictionaries_are_read(blocks, recall, names, prefix):
    """Width, blocks and recall are found from the names, and the network computes what theirs does."""
    torch.manual_seed(0)
    theirs = TheirNet(6, blocks, recall, names)
    ours = read_published({prefix + name: value for name, value in theirs.state_dict().items()})
    assert (ours.width, len(ours.blocks), ours.recall is not None) == (6, blocks, recall)
    x = image(dtype=torch.float32)
    assert torch.allclose(ours(x, 5), theirs(x, 5), atol=1e-6)


def test_other_state_dictionaries_are_refused():
    """A foreign name, a missing tensor, and a wrong shape are each named."""
    state = TheirNet(4, 1, True, DEEP_THINKING).state_dict()
    with pytest.raises(InputError, match=r"encoder\.weight.*none of the known layouts"):
        read_published(state | {"encoder.weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"blocks\.0\.second\.weight.*found none"):
        read_published({name: value for name, value in state.items() if "conv2" not in name})
    with pytest.raises(InputError, match=r"head\.0\.weight.*\(32, 4, 3, 3\), found \(16, 4, 3, 3\)"):
        read_published(state | {"head.0.weight": torch.zeros(16, 4, 3, 3)})
    with pytest.raises(InputError, match="no projection"):
        read_published({})


@pytest.fixture
def published():
    torch.manual_seed(0)
    return TheirNet(4, 1, True, DEEP_THINKING).state_dict()


def same(solver, state):
    """Whether a solver holds a state dictionary's numbers, in whatever order of names."""
    ours = torch.cat([value.flatten() for value in solver.state_dict().values()])
    theirs = torch.cat([value.flatten().float() for value in state.values()])
    return torch.allclose(ours.sort().values, theirs.sort().values)


@pytest.mark.parametrize(
    "wrapped",
    ["module.{}", "_orig_mod.{}", "_orig_mod.module.{}", "module._orig_mod.{}", "module.module.module.{}"],
)
def test_what_wraps_a_network_is_taken_off_its_names(published, wrapped):
    """DataParallel and torch.compile may wrap it in any order, and any number of times."""
    assert same(read_published({wrapped.format(name): value for name, value in published.items()}), published)


def test_what_wraps_a_part_is_taken_off_too(published):
    """A compiled or parallel submodule has its prefix in the middle of the names."""
    inner = {name.replace("recur_block.", "recur_block._orig_mod.module."): value for name, value in published.items()}
    assert same(read_published(inner), published)


def test_a_name_is_given_once(published):
    """A tensor with and without a prefix, or under the names of both layouts, is two of one name."""
    for name in ("module.projection.0.weight", "input_to_latent_layer.0.weight"):
        with pytest.raises(InputError, match=r"projection.*two tensors of this name"):
            read_published(published | {name: published["projection.0.weight"]})


@pytest.mark.parametrize("key", ["net", "state_dict", "model", "model_state_dict"])
def test_a_whole_checkpoint_is_read(published, key):
    """The weights under a key, or one level deeper, beside what else a training keeps."""
    beside = {"epoch": 7, "optimizer": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 0.1}]}}
    assert same(read_published({key: published} | beside), published)
    assert same(read_published({"state_dict": {key: published}} | beside), published)


def test_a_checkpoint_read_from_a_file_is_read(published):
    """What torch.load gives, with weights_only, goes in as it is."""
    buffer = io.BytesIO()
    torch.save({"net": published, "epoch": 1}, buffer)
    buffer.seek(0)
    assert same(read_published(torch.load(buffer, weights_only=True)), published)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("model.pth", r"got 'model.pth'; read the file yourself, torch\.load"),
        (None, "got None"),
        ([1], "got a list"),
        (nn.Linear(1, 1), r"got a module; give its state_dict\(\)"),
        ({0: torch.zeros(1)}, "whose keys are names"),
        ({"epoch": 1, "optimizer": {}}, "epoch is 1; optimizer is a dict"),
        ({"net": {}, "model": {}}, "net and model each hold weights"),
        ({"net": {"net": {"net": {"net": {"net": {"net": {}}}}}}}, "one within another"),
        ({"projection.0.weight": torch.zeros(())}, r"must be \(width, 3, 3, 3\), got \(\)"),
        ({"projection.0.weight": torch.zeros(1).expand(10**7, 3, 3, 3)}, "blocks|head.*found none"),
        ({"projection.0.weight": torch.zeros(1).expand(10**12)}, "at most 536,870,912 are read"),
    ],
)
def test_what_is_no_state_dictionary_gets_a_sentence(given, said):
    """A path, nothing, a module, a checkpoint without weights: what was expected, and what to do."""
    with pytest.raises(InputError, match=said):
        read_published(given)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v * float("nan"), "not all numbers are finite"),
        (lambda v: v.double() * 1e300, "not all numbers are finite"),  # infinite in float32
        (lambda v: v.int(), "expected floating-point numbers, got int32"),
        (lambda v: v > 0, "got bool"),
        (lambda v: v.to(torch.complex64), "got complex64"),
        (lambda v: v.to_sparse(), "laid out as sparse_coo"),
        (lambda v: v.to("meta"), "got a meta tensor"),
        (lambda v: torch.quantize_per_tensor(v, 0.1, 0, torch.qint8), "got qint8"),
        (lambda v: v.to(torch.float8_e4m3fn), "got float8_e4m3fn"),
        (lambda v: v.numpy(), "is a ndarray"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # torch's own, of sparse and quantised tensors
def test_other_kinds_of_numbers_are_refused(published, change, said):
    """By the tensor's name and its kind."""
    with pytest.raises(InputError, match=rf"head\.0\.weight.*{said}"):
        read_published(published | {"head.0.weight": change(published["head.0.weight"])})


def test_a_few_of_many_problems_are_named(published):
    """Three, and how many more."""
    with pytest.raises(InputError, match=r"first\.weight.*second\.weight.*head\.0\.weight.*; and 4 more"):
        read_published({name: value * float("inf") for name, value in published.items()})


@pytest.mark.parametrize("layer", ["recur_block.1.0.gn1.weight", "recur_block.1.0.bn2.running_var", "head.1.weight"])
def test_normalisation_layers_are_refused_with_the_reason(published, layer):
    """Told by the layer's name, or by its one number a channel."""
    with pytest.raises(InputError, match=r"of a normalisation layer; a network with one, such as dt_net_recall_gn_2d"):
        read_published(published | {layer: torch.ones(4)})


@pytest.mark.parametrize(
    "said", [{"model": "dt_net_recall_gn_2d"}, {"args": {"problem": {"model": "dt_net_gn_2d"}}}, {"group_norm": True}]
)
def test_a_checkpoint_that_names_a_normalised_network_is_refused(published, said):
    """Its layers hold no numbers, so its weights alone would be misread."""
    with pytest.raises(InputError, match="is a network with group normalisation, which DTNet has not"):
        read_published({"net": published, **said})
    assert same(read_published({"net": published, "model": "dt_net_recall_2d", "group_norm": False}), published)


def test_notes_say_what_was_rounded(published):
    """From float64, with the numbers that changed; half precision is widened; and what weights never tell."""
    assert card_of(read_published(published)).notes == (UNSEEN_NORM,)
    double = {name: value.double() for name, value in published.items()}
    (note, _) = card_of(read_published(double)).notes
    assert note.startswith("published weights rounded from float64 to float32: 0 of ")
    double["head.4.weight"] = double["head.4.weight"] + 1e-12
    (note, _) = card_of(read_published(double)).notes
    assert ": 144 of " in note
    half = {name: value.half() for name, value in published.items()}
    (note, _) = card_of(read_published(half)).notes
    assert note == "published weights widened from float16 to float32: no number changed"
