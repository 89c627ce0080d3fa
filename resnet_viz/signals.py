"""What is measured of signal and gradient in a net, as figures and captions take it.

Vectors are in the order of `layers.weighted_layers` and `layers.blocks_of`. Norms are L2 over
a whole batch. Standard library only; every number is a plain float.
"""

from __future__ import annotations

from dataclasses import dataclass

from resnet_viz.specs import NetSpec

Vector = tuple[float, ...]


@dataclass(frozen=True)
class Signal:
    """One batch through one freshly initialised net, forward and back.

    Attributes:
        net: what was built.
        seed: of its initial weights and of the batch.
        images: in the batch.
        response_std: a layer; standard deviation over batch, channels and positions of its
            response: after the batch norm that follows it, before any ReLU or addition
            (He et al. 2015, Fig. 7); where none follows, of its own output.
        gradient_norm: a layer; gradient of the mean loss by its weights.
        boundary_norm: one more than there are blocks; gradient of the loss by the input of
            each block, and by the output of the last.
        branch_gains: a convolution of the branches, in order; norm of the gradient at its
            input, through it alone, over the norm at the input of the next convolution of its
            branch (or at the branch's output after the last one).
    """

    net: NetSpec
    seed: int
    images: int
    response_std: Vector
    gradient_norm: Vector
    boundary_norm: Vector
    branch_gains: Vector

    @property
    def ratio(self) -> float:
        """Gradient norm of the first convolution over that of the last; NaN if that is zero."""
        first, last = self.gradient_norm[0], self.gradient_norm[-2]
        return first / last if last else float("nan")

    @property
    def block_gains(self) -> Vector:
        """A block: gradient norm at its input over that at its output; NaN where that is zero.

        Their product is the gain of the whole chain of blocks.
        """
        pairs = zip(self.boundary_norm[:-1], self.boundary_norm[1:], strict=True)
        return tuple(a / b if b else float("nan") for a, b in pairs)


@dataclass(frozen=True)
class Split:
    """The gradient at one block's input, by the way that it came.

    The loss's gradient by x is the shortcut's vector-Jacobian product plus the branch's, each
    computed apart.

    Attributes:
        shortcut: what the shortcut is here: "identity", "zero_padding", "projection",
            "scaled", "dropout" or "gated" (He et al. 2016, 3.1).
        shortcut_norm, branch_norm, total_norm: of the two parts, and of autograd's gradient.
        cosine: between the two parts; NaN where one is zero.
        residue: norm of (shortcut + branch - autograd) over shortcut_norm + branch_norm.
        passed: share of the squared gradient norm that the ReLU after the addition lets
            through; 1 where there is none.
        blocked: share of values that this ReLU holds back; 0 where there is none.
        arrived: norm of what arrives here from the last block's output through shortcuts alone
            (and ReLUs after additions), over the norm of the gradient there.
        arrived_cosine: cosine between that part and the whole gradient here.
        shared_first: norm and ReLU stand before the fork here (pre-activation), so not even
            the shortcut's part is unchanged.
    """

    shortcut: str
    shortcut_norm: float
    branch_norm: float
    total_norm: float
    cosine: float
    residue: float
    passed: float
    blocked: float
    arrived: float
    arrived_cosine: float
    shared_first: bool


@dataclass(frozen=True)
class Decomposition:
    """Every block's split, for one net, one batch.

    Attributes:
        step: training steps behind the net; 0 at initialisation.
        splits: a block.
        loss: of the batch.
        images: in the batch.
    """

    net: NetSpec
    step: int
    splits: tuple[Split, ...]
    loss: float
    images: int


@dataclass(frozen=True)
class Shattering:
    """A net's input gradient along the line between two images.

    Attributes:
        net: what was built; None for noise.
        noise: "white" or "brown" for a noise sequence, else "".
        position: along the line, 0 at the first image, 1 at the second.
        slope: directional derivative of one logit along the line, at each position; for
            noise its values. Scaled to standard deviation 1.
        autocorrelation: by lag 0, 1, ... in steps of `position`; of the whole input gradient
            (all pixels together), of the sequence itself for noise.
        spread: standard deviation of it over the seeds; empty for one seed.
        seeds: how many nets (or noise sequences) it is the mean of.
    """

    net: NetSpec | None
    noise: str
    position: Vector
    slope: Vector
    autocorrelation: Vector
    spread: Vector
    seeds: int
