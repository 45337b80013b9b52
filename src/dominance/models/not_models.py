"""What was given as a model and is none: what it is, and which option takes it."""

from pathlib import Path

from dominance.errors import ModelError
from dominance.models.contents import CHECKPOINT, EMBEDDING, LORA, Contents, contents_of
from dominance.models.pipeline_classes import read_settings
from dominance.wording import on_one_line

PICKLED = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
_CONVERSION = (
    "convert it where you trust it: python -c \"import torch, safetensors.torch as s; w = torch.load('{file}',"
    " weights_only=True); s.save_file(w.get('state_dict', w), '{out}')\""
)


def refuse_file(file: Path) -> ModelError:
    """The error for a file that is no model."""
    shown = on_one_line(file, 120)
    with file.open("rb") as opened:
        start = opened.read(4)
    if start == b"GGUF":
        return ModelError(
            f"{shown} is a GGUF file, the quantised denoiser of a model without its other parts, which is not read"
            " here; give the model as a diffusers folder or as a .safetensors checkpoint"
        )
    if file.suffix.lower() in PICKLED or start[:2] in (b"PK", b"\x80\x02"):
        return pickled(file)
    if file.suffix.lower() != ".safetensors":
        return ModelError(f"{shown} is not a model; give a diffusers folder, a .safetensors checkpoint or a hub id")
    return refuse_contents(file, contents_of(file))


def pickled(file: Path) -> ModelError:
    """The error for weights that run code when they are read."""
    shown = on_one_line(file, 120)
    command = _CONVERSION.format(file=shown, out=on_one_line(file.with_suffix(".safetensors").name, 120))
    return ModelError(f"{shown} is a pickle, which can run code when it is read; {command}")


def refuse_contents(file: Path, found: Contents) -> ModelError:
    """The error for a safetensors file that is no whole model."""
    shown = on_one_line(file, 120)
    if found.kind in (LORA, EMBEDDING):
        return ModelError(f"{shown} is {found.what}, not a model; give the model that it is for, and --adapter {shown}")
    if found.kind == CHECKPOINT:
        return ModelError(
            f'{shown} is a single-file checkpoint, and here a diffusers folder is needed: python -c "import dominance;'
            f" dominance.load_pipeline('{shown}').save_pretrained('{file.stem[:60]}')\", and give that folder"
        )
    return ModelError(f"{shown} holds {found.what}, not a whole model; give a diffusers folder or a whole checkpoint")


def refuse_folder(path: Path) -> ModelError:
    """The error for a folder that holds no pipeline."""
    shown = on_one_line(path, 120)
    files = sorted(path.glob("*.safetensors"))
    settings = read_settings(path / "config.json")
    kind = settings.get("_class_name") or next(iter(settings.get("architectures") or []), None)
    inside = next((index.parent for index in sorted(path.glob("*/model_index.json"))), None)
    if kind is not None:
        return ModelError(
            f"{shown} holds one part of a model ({on_one_line(kind, 60)}); give the folder above it that has a"
            " model_index.json"
        )
    if inside is not None:
        return ModelError(f"{shown} is not a diffusers pipeline, but {inside.name} in it is; give {inside}")
    if len(files) == 1:
        found = contents_of(files[0])
        if found.kind == CHECKPOINT:
            return ModelError(f"{shown} holds a single-file checkpoint; give the file itself: {files[0]}")
        return refuse_contents(files[0], found)
    if any(file.suffix.lower() in PICKLED for file in path.glob("*")):
        return pickled(next(file for file in sorted(path.glob("*")) if file.suffix.lower() in PICKLED))
    return ModelError(f"{shown} is not a diffusers pipeline: it has no model_index.json; give the pipeline's folder")
