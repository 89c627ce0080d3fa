"""The recipe of a script: learning rate, training loop, evaluation."""

from __future__ import annotations

from resnet_viz.scripts.templates import fill
from resnet_viz.specs import AUXILIARY_WEIGHT, RunSpec, TrainSpec

_RATE = '''
def learning_rate(step):
    """$title"""
    $warmup
    $rate
'''

_WARMUP = """
if step < WARMUP_STEPS:
    return LR * (step + 1) / WARMUP_STEPS
"""

_COSINE = """
progress = $progress
return LR * 0.5 * (1 + math.cos(math.pi * progress))
"""

_STEP = """
return LR / 10 ** ((step >= STEPS * 0.5) + (step >= STEPS * 0.75))
"""

_MAIN = '''
def channel_statistics(images):
    """Mean and standard deviation of each channel, (1, channels, 1, 1), of values 0..1."""
    pixels = images.float() / 255
    std, mean = torch.std_mean(pixels, (0, 2, 3), correction=0, keepdim=True)
    return mean, std$least


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=STEPS, help="stop after so many steps")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    $folder_option
    args = parser.parse_args()

    $load
    images, labels = data["train"]
    mean, std = (x.to(args.device) for x in channel_statistics(images))

    torch.manual_seed(SEED)
    net = Net($classes).to(args.device)
    $start
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters")
    $optimizer

    def prepare(images):
        """uint8 images (batch, channels, size, size) -> normalised ones."""
        return (images.to(args.device) / 255 - mean) / std

    losses, errors = deque(maxlen=25), deque(maxlen=25)  # of the last 25 steps
    $warmed_up
    steps = min(args.steps, STEPS)
    for step, batch in enumerate(itertools.islice(batches(len(labels)), steps)):
        lr = $lr
        for group in optimizer.param_groups:
            group["lr"] = lr
        targets = labels[batch].to(args.device)
        $chance
        $logits
        loss = F.cross_entropy(logits, targets)
        $auxiliary
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        errors.append((logits.argmax(1) != targets).float().mean().item())
        if not math.isfinite(losses[-1]):
            raise SystemExit(f"the loss became {losses[-1]} at step {step + 1}")
        running_loss, running_error = sum(losses) / len(losses), sum(errors) / len(errors)
        $judge
        if (step + 1) % PRINT_EVERY == 0 or step + 1 == steps:
            print(
                f"step {step + 1:6d}  lr {lr:.5f}  "
                f"running loss {running_loss:.5f}  running error {running_error:.2%}"
            )

    net.eval()
    with torch.no_grad():
        for part, (images, labels) in data.items():
            guesses = torch.cat([net(prepare(x)).argmax(1).cpu() for x in images.split(500)])
            print(f"{part} error {(guesses != labels).float().mean().item():.2%}")
    torch.save(net.state_dict(), WEIGHTS)
    print(f"weights saved in {WEIGHTS}")
'''

_SGD = """
optimizer = torch.optim.SGD(
    net.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
)
"""
_ADAM = "optimizer = torch.optim.Adam(net.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)"

_CHANCE = "torch.manual_seed(random_numbers(3, step).initial_seed())"
_AUXILIARY = f"""
loss += {AUXILIARY_WEIGHT} * sum(F.cross_entropy(x, targets) for x in auxiliary)
"""

_JUDGE = """
if (step + 1) % 100 == 0:
    warmed_up = warmed_up or running_error < WARMUP_ERROR
"""


def recipe_text(run: RunSpec) -> str:
    """Source of `learning_rate`, `channel_statistics` and `main`."""
    train, folder = run.train, run.data.name == "folder"
    augments = run.data.crop_padding or run.data.flip
    by_error = train.warmup_error is not None
    images = f"prepare({'augment(images[batch], step)' if augments else 'images[batch]'})"
    option = 'parser.add_argument("--folder", type=Path, default=Path(FOLDER))' if folder else ""
    main = fill(
        _MAIN,
        least=".clamp(min=1 / 255)" if folder else "",
        folder_option=option,
        load="classes, data = load_data(args.folder.expanduser())"
        if folder
        else "data = load_data()",
        classes="len(classes)" if folder else "CLASSES",
        start="net.load_state_dict(load_file(START, device=args.device))" if run.start else "",
        optimizer=_SGD if train.optimizer == "sgd" else _ADAM,
        chance="torch.manual_seed(random_numbers(3, step).initial_seed())"
        if run.net.random
        else "",
        logits=f"logits, *auxiliary = net.outputs({images})"
        if run.net.aux_heads
        else f"logits = net({images})",
        auxiliary=_AUXILIARY if run.net.aux_heads else "",
        warmed_up="warmed_up = False" if by_error else "",
        lr="learning_rate(step) if warmed_up else LR / 10" if by_error else "learning_rate(step)",
        judge=_JUDGE if by_error else "",
    )
    return _learning_rate(train) + "\n\n\n" + main


def _learning_rate(train: TrainSpec) -> str:
    after = {
        "cosine": "half a cosine down to zero.",
        "step": "a tenth after half of the steps, a hundredth after three quarters.",
        "constant": "the same at every step.",
    }[train.schedule]
    title = f"A linear rise, then {after}" if train.warmup_steps else after[0].upper() + after[1:]
    elapsed = "(step - WARMUP_STEPS) / (STEPS - WARMUP_STEPS)"
    progress = elapsed if train.warmup_steps else "step / STEPS"
    rate = {"cosine": fill(_COSINE, progress=progress), "step": _STEP, "constant": "return LR"}
    return fill(
        _RATE,
        title=title,
        warmup=_WARMUP if train.warmup_steps else "",
        rate=rate[train.schedule],
    )
