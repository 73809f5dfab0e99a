#!/usr/bin/env python3
"""Makes the golden files of LoRA adapters, in PEFT's layout, for the golden models llama and gpt2.

numpy only, in float64, written from the definition (arXiv 2106.09685; rsLoRA: arXiv 2312.03732): a matrix W [out, in] becomes
W + s B A with A [r, in], B [out, r], s = alpha/r or alpha/sqrt(r); a Conv1D stores W as [in, out], and an embedding [tokens, d]
has A [r, tokens] and B [d, r], so that both get the transpose. From the repository root:

    python3 test/golden/adapters.py

Every case is a folder of test/fixtures/adapters with adapter_config.json and adapter_model.safetensors, as PEFT saves them, and merged.safetensors: every
tensor of the base that the adapter changes, merged and rounded once to float32.
"""

import json
import math
import os
import struct

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).astype(np.float64)
        for name, entry in header.items()
        if name != "__metadata__"
    }


def write(path, tensors):
    header, parts, offset = {}, [], 0
    for name, values in sorted(tensors.items()):
        part = np.ascontiguousarray(values, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


class Case:
    def __init__(self, name, base, **config):
        self.name, self.config = name, config
        self.base = read(os.path.join(HERE, base, "model.safetensors"))
        self.random = np.random.default_rng(len(name) * 1000 + sum(map(ord, name)))
        self.adapter, self.merged = {}, {}

    def values(self, *shape):
        return self.random.normal(size=shape).astype("<f4").astype(np.float64)

    def low_rank(self, module, r, scale, kind="linear"):
        weight = self.base[module + ".weight"]
        rows, columns = weight.shape
        outputs, inputs = (rows, columns) if kind == "linear" else (columns, rows)
        a, b = self.values(r, inputs), self.values(outputs, r)
        ends = ("lora_embedding_A", "lora_embedding_B") if kind == "embedding" else ("lora_A.weight", "lora_B.weight")
        for end, factor in zip(ends, (a, b)):
            self.adapter[f"base_model.model.{module}.{end}"] = factor
        change = scale * (b @ a)
        self.merged[module + ".weight"] = weight + (change if kind == "linear" else change.T)

    def replace(self, tensor, shape=None):
        self.merged[tensor] = self.values(*(shape or self.base[tensor].shape))
        self.adapter["base_model.model." + tensor] = self.merged[tensor]

    def save(self):
        folder = os.path.join(HERE, "..", "fixtures", "adapters", self.name)
        os.makedirs(folder, exist_ok=True)
        config = {
            "alpha_pattern": {}, "auto_mapping": None, "base_model_name_or_path": "org/base", "bias": "none",
            "corda_config": None, "eva_config": None, "exclude_modules": None, "fan_in_fan_out": False,
            "inference_mode": True, "init_lora_weights": True, "layer_replication": None, "layers_pattern": None,
            "layers_to_transform": None, "loftq_config": {}, "lora_alpha": 8, "lora_bias": False, "lora_dropout": 0.05,
            "megatron_config": None, "megatron_core": "megatron.core", "modules_to_save": None, "peft_type": "LORA", "r": 8,
            "rank_pattern": {}, "revision": None, "target_modules": [], "task_type": "CAUSAL_LM",
            "trainable_token_indices": None, "use_dora": False, "use_rslora": False, **self.config,
        }  # fmt: skip
        with open(os.path.join(folder, "adapter_config.json"), "w") as file:
            json.dump(config, file, indent=2)
            file.write("\n")
        write(os.path.join(folder, "adapter_model.safetensors"), self.adapter)
        write(os.path.join(folder, "merged.safetensors"), self.merged)


def layer(number, module):
    return f"model.layers.{number}.{module}"


# Ranks and alphas of their own for some modules, the longer name first.
case = Case("lora", "llama", r=4, lora_alpha=6, target_modules=["v_proj", "q_proj"],
            rank_pattern={"v_proj": 2}, alpha_pattern={"layers.1.self_attn.q_proj": 3, "model.layers.2.*": 5})  # fmt: skip
for number in range(3):
    case.low_rank(layer(number, "self_attn.q_proj"), 4, [6, 3, 5][number] / 4)
    case.low_rank(layer(number, "self_attn.v_proj"), 2, [6, 6, 5][number] / 2)
case.save()

# A pattern of the whole name, the other scale, and a head of its own where the base's is its embedding.
case = Case("rslora", "llama", r=3, lora_alpha=4, use_rslora=True, target_modules=r".*\.(k_proj|o_proj)",
            modules_to_save=["lm_head", "norm"])  # fmt: skip
for number in range(3):
    case.low_rank(layer(number, "self_attn.k_proj"), 3, 4 / math.sqrt(3))
    case.low_rank(layer(number, "self_attn.o_proj"), 3, 4 / math.sqrt(3))
case.replace("lm_head.weight", case.base["model.embed_tokens.weight"].shape)
case.replace("model.norm.weight")
case.save()

# One layer, and a module that is left out.
case = Case("layers", "llama", r=2, lora_alpha=4, target_modules=["gate_proj", "up_proj"], exclude_modules=["up_proj"],
            layers_to_transform=[1], layers_pattern="layers")  # fmt: skip
case.low_rank(layer(1, "mlp.gate_proj"), 2, 2)
case.save()

# Every matrix of every layer.
case = Case("all-linear", "llama", r=1, lora_alpha=2, target_modules="all-linear")
for tensor in sorted(case.base):
    if tensor.startswith("model.layers.") and case.base[tensor].ndim == 2:
        case.low_rank(tensor[: -len(".weight")], 1, 2)
case.save()

# Matrices stored [in, out], an embedding with a head of its own, and the biases of the modules that change.
case = Case("gpt2", "gpt2", r=2, lora_alpha=3, fan_in_fan_out=True, target_modules=["c_attn", "c_proj", "wte"], modules_to_save=["lm_head"], bias="lora_only")
for number in range(2):
    for module in ("attn.c_attn", "attn.c_proj", "mlp.c_proj"):
        case.low_rank(f"transformer.h.{number}.{module}", 2, 1.5, "conv")
        case.replace(f"transformer.h.{number}.{module}.bias")
case.low_rank("transformer.wte", 2, 1.5, "embedding")
case.replace("lm_head.weight", case.base["transformer.wte.weight"].shape)
case.save()
