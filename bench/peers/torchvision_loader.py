#!/usr/bin/env python3
"""The peer of bench:data: torchvision's loading of images as the official code does it, timed.

  python3 torchvision_loader.py FOLDER --workers 1 --batch 64 --size 224 --scale 0.3 1 --warmup 4 --steps 16

ImageFolder, RandomResizedCrop, RandomHorizontalFlip, ToTensor, Normalize; DataLoader with worker processes. Prints one line
of JSON: images, seconds, cpuSeconds (of this process and its workers), versions.
"""
import argparse, json, resource, time
import PIL, torch

try:
    import torchvision
except RuntimeError:
    # Its compiled operators are of another build of torch. None of them is used here, but two have to be known by name.
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
from torchvision import datasets, transforms


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Timed(torch.utils.data.Dataset):
    """Items with the processor's time that their worker has used so far: workers are alive when the clock is read."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image, label = self.images[index]
        info = torch.utils.data.get_worker_info()
        return image, label, -1 if info is None else info.id, cpu_seconds()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--scale", type=float, nargs=2, default=(0.3, 1.0))
    parser.add_argument("--warmup", type=int, default=4)
    parser.add_argument("--steps", type=int, default=16)
    args = parser.parse_args()
    torch.set_num_threads(1)
    transform = transforms.Compose([
        transforms.RandomResizedCrop(args.size, scale=tuple(args.scale)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])
    images = Timed(datasets.ImageFolder(args.folder, transform))
    sampler = torch.utils.data.RandomSampler(images, replacement=True, num_samples=(args.warmup + args.steps) * args.batch)
    loader = torch.utils.data.DataLoader(
        images, batch_size=args.batch, sampler=sampler, num_workers=args.workers, drop_last=True)
    used = {}
    began = own = None
    at_start = {}
    for step, (_, _, workers, seconds) in enumerate(loader):
        for worker, cpu in zip(workers.tolist(), seconds.tolist()):
            used[worker] = max(used.get(worker, 0.0), cpu)
        if step + 1 == args.warmup:
            began, own, at_start = time.perf_counter(), cpu_seconds(), dict(used)
    elapsed = time.perf_counter() - began
    cpu = cpu_seconds() - own + sum(used[worker] - at_start.get(worker, 0.0) for worker in used if worker >= 0)
    print(json.dumps({
        "images": args.steps * args.batch, "seconds": elapsed, "cpuSeconds": cpu,
        "versions": f"torch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {PIL.__version__}",
    }))


main()
