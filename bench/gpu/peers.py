"""Times PyTorch on this machine's graphics card: cuBLAS float32 products (TF32 off), and steps whose gradient rows come
from torch.func's vmap(grad) and are combined by soft truncation, against plain ones."""

import json
import math
import sys
import time

import torch
from torch.func import functional_call, grad, vmap

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(0)
card = torch.device("cuda")
figures = []


def measure(work, call, note=lambda ms: ""):
    """Best of six rounds, in milliseconds a call."""
    try:
        for _ in range(2):
            call()
        torch.cuda.synchronize()
        best, calls = float("inf"), 1
        for _ in range(6):
            start = time.perf_counter()
            for _ in range(calls):
                call()
            torch.cuda.synchronize()
            wall = 1e3 * (time.perf_counter() - start)
            best = min(best, wall / calls)
            calls = max(1, min(400, round(calls * 300 / wall)))
    except torch.cuda.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        print(f"{work}: out of memory ({str(error).splitlines()[0]})")
        figures.append({"work": work, "wall": None, "note": "out of memory"})
        return
    figures.append({"work": work, "wall": best, "note": note(best)})
    print(f"{work}: {best:.3f} ms {note(best)}")


def soft_truncation(rows, delta=0.005):
    """x̂ = x̄ + σ s mean ψ((x − x̄)/(σ s)) of every column, s² = N/(2 ln 1/δ)."""
    n = rows.shape[0]
    s = math.sqrt(n / (2 * math.log(1 / delta)))
    mean = rows.mean(0)
    width = rows.std(0).mul_(s)
    safe = torch.where(width > 0, width, torch.ones_like(width))
    u = ((rows - mean) / safe).clamp_(-math.sqrt(2), math.sqrt(2))
    return mean + width * (u - u**3 / 6).mean(0)


def training(widths, samples):
    layers = []
    for k, (p, q) in enumerate(zip(widths, widths[1:])):
        layers += [torch.nn.Linear(p, q)] + ([torch.nn.ReLU()] if k < len(widths) - 2 else [])
    model = torch.nn.Sequential(*layers).to(card)
    x = torch.randn(samples, widths[0], device=card)
    labels = torch.randint(widths[-1], (samples,), device=card)
    parameters = {name: p.detach().clone() for name, p in model.named_parameters()}

    def loss(parameters, x, label):
        logits = functional_call(model, parameters, (x.unsqueeze(0),))
        return torch.nn.functional.cross_entropy(logits, label.unsqueeze(0))

    per_sample = vmap(grad(loss), in_dims=(None, 0, 0))

    def plain():
        model.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.01 * p.grad

    def soft():
        with torch.no_grad():
            for name, rows in per_sample(parameters, x, labels).items():
                parameters[name] -= 0.01 * soft_truncation(rows)

    return plain, soft


print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
for n in (512, 1024, 2048, 4096):
    a, b = torch.randn(n, n, device=card), torch.randn(n, n, device=card)
    measure(f"gemm {n}³", lambda: a @ b, lambda ms: f"{2 * n**3 / ms / 1e6:.0f} GFLOP/s")
for widths, samples in (([784, 256, 128, 10], 256), ([4096, 4096, 4096], 1024)):
    name = f"{'-'.join(map(str, widths))}, N {samples}"
    plain, soft = training(widths, samples)
    measure(f"{name}: plain", plain)
    measure(f"{name}: soft truncation by vmap(grad)", soft)
    del plain, soft
    torch.cuda.empty_cache()
if len(sys.argv) > 1:
    with open(sys.argv[1], "w") as file:
        json.dump({"torch": torch.__version__, "card": torch.cuda.get_device_name(), "figures": figures}, file, indent=2)
