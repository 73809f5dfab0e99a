#!/usr/bin/env python3
"""Makes test/fixtures/quantised: golden models, and single weights, stored in the quantised formats of safetensors checkpoints.

Codes are packed as the formats' own programs pack them: `pack` of AutoGPTQ, `WQLinear_GEMM.from_linear` of AutoAWQ, the
quantising kernel of MLX, OCP's Microscaling formats, and the float8 types of ml_dtypes, which JAX has. The values come from the
codes before they are packed, in numpy: nothing here unpacks. Those of MXFP4 are compared with llama.cpp's own, in its package
gguf. From the repository root, without network:

    python test/golden/quantised.py        # numpy 2.4.6, ml_dtypes 0.6.0, gguf

Every case is a folder with config.json, model.safetensors and expected.json: of each tensor of the plain checkpoint its shape and
the SHA-256 of its float32 values. Cases with a `model` in expected.json are that golden model, quantised; others are weights only.
"""

import hashlib
import json
import os
import shutil

import ml_dtypes
import numpy as np
from gguf import GGMLQuantizationType, quants

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "fixtures", "quantised")
TYPES = {
    "float32": "F32", "float16": "F16", "bfloat16": "BF16", "uint8": "U8", "uint32": "U32", "int32": "I32",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}
random = np.random.default_rng(17)

# ------------------------------------------------------------------------------------------- files


def golden(model):
    """The configuration and the float32 tensors of a golden model."""
    folder = os.path.join(HERE, model)
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["dtype"] == "F32"
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(data[start:end], np.float32).reshape(entry["shape"])
    with open(os.path.join(folder, "config.json")) as file:
        return json.load(file), tensors


def write(case, config, stored, expected, model=None, beside=None):
    """Writes a case. stored: what lies in the file; expected: the plain tensors, in float32."""
    folder = os.path.join(TARGET, case)
    os.makedirs(folder)
    header, data, at = {}, b"", 0
    for name, tensor in stored.items():
        tensor = np.ascontiguousarray(tensor)
        header[name] = {
            "dtype": TYPES[tensor.dtype.name], "shape": list(np.shape(stored[name])), "data_offsets": [at, at + tensor.nbytes],
        }
        data += tensor.tobytes()
        at += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)
    about = {} if model is None else {"model": model}
    about["tensors"] = {}
    for name, tensor in expected.items():
        assert tensor.dtype == np.float32 and np.isfinite(tensor).all(), name
        digest = hashlib.sha256(np.ascontiguousarray(tensor).tobytes()).hexdigest()
        about["tensors"][name] = {"shape": list(tensor.shape), "sha256": digest}
    for name, content in {"config.json": config, "expected.json": about, **(beside or {})}.items():
        with open(os.path.join(folder, name), "w") as file:
            json.dump(content, file, indent=1)
            file.write("\n")


def whole(case, model, quantise, extra, plain_type, more=None):
    """A golden model of which every matrix that `quantise` takes is quantised; the rest is stored in `plain_type`."""
    config, tensors = golden(model)
    stored, expected = {}, {}
    for name, tensor in tensors.items():
        parts = quantise(name, tensor) if tensor.ndim == 2 else None
        if parts is None:
            stored[name] = tensor.astype(plain_type)
            expected[name] = stored[name].astype(np.float32)
        else:
            expected[name] = parts.pop("")
            stored.update({name.removesuffix(".weight") + part: value for part, value in parts.items()})
    stored.update(more or {})
    write(case, {**config, **extra}, stored, expected, model)


def matrix(rows, columns):
    return random.standard_normal((rows, columns)).astype(np.float32)


# ------------------------------------------------------------------------------------------- FP8


def float8(weight, dtype, scales, block):
    """Codes of a matrix by scales of blocks, and the values: code times scale, in float32."""
    spread = np.repeat(np.repeat(scales.astype(np.float32), block[0], 0), block[1], 1)[: weight.shape[0], : weight.shape[1]]
    codes = np.clip(weight / spread, -448, 448).astype(dtype)
    return codes, codes.astype(np.float32) * spread


def fp8_blocks():
    block = (24, 20)

    def quantise(name, weight):
        if "layers" not in name:
            return None
        grid = [-(-size // length) for size, length in zip(weight.shape, block)]
        scales = random.uniform(0.001, 0.004, grid).astype(ml_dtypes.bfloat16)
        codes, values = float8(weight, ml_dtypes.float8_e4m3fn, scales, block)
        return {"": values, ".weight": codes, ".weight_scale_inv": scales}

    extra = {"activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "weight_block_size": list(block)}
    whole("fp8-blocks", "qwen3", quantise, {"quantization_config": extra}, ml_dtypes.bfloat16)


def fp8_channels():
    def quantise(name, weight):
        if "layers" not in name:
            return None
        scales = random.uniform(0.001, 0.004, (weight.shape[0], 1)).astype(np.float32)
        codes, values = float8(weight, ml_dtypes.float8_e4m3fn, scales, (1, weight.shape[1]))
        return {"": values, ".weight": codes, ".weight_scale": scales, ".input_scale": np.ones(1, np.float32)}

    args = {"actorder": None, "block_structure": None, "dynamic": False, "group_size": None, "num_bits": 8, "observer": "minmax"}
    args |= {"observer_kwargs": {}, "strategy": "channel", "symmetric": True, "type": "float"}
    groups = {"group_0": {"input_activations": {**args, "strategy": "token"}, "output_activations": None, "targets": ["Linear"], "weights": args}}
    extra = {"config_groups": groups, "format": "float-quantized", "ignore": ["lm_head"], "kv_cache_scheme": {"num_bits": 8}}
    extra |= {"quant_method": "compressed-tensors", "quantization_status": "compressed", "sparsity_config": {}}
    caches = {f"model.layers.0.self_attn.{name}_scale": np.ones(1, np.float32) for name in "kv"}
    whole("fp8-channels", "llama", quantise, {"quantization_config": extra}, np.float16, caches)


def fp8_tensors():
    """Every code of both types, one scale for each tensor; the configuration stands beside config.json."""
    stored, expected = {}, {}
    for name, dtype in (("a", ml_dtypes.float8_e4m3fn), ("b", ml_dtypes.float8_e5m2)):
        codes = np.arange(256, dtype=np.uint8).view(dtype)
        codes = codes[np.isfinite(codes.astype(np.float32))]
        codes = codes[: len(codes) // 2 * 2].reshape(2, -1)
        scale = np.float32(0.0123)
        stored |= {f"{name}.weight": codes, f"{name}.weight_scale": scale, f"{name}.input_scale": np.float32(1)}
        expected[f"{name}.weight"] = codes.astype(np.float32) * scale
    said = {"producer": {"name": "modelopt", "version": "0.15"}}
    said["quantization"] = {"quant_algo": "FP8", "kv_cache_quant_algo": None, "exclude_modules": ["lm_head"]}
    write("fp8-tensors", {}, stored, expected, beside={"hf_quant_config.json": said})


# ------------------------------------------------------------------------------------------- MXFP4


def mxfp4():
    """Every scale but NaN's and those that overflow, every code in every place."""
    experts, rows, groups = 2, 40, 3
    codes = random.integers(0, 16, (experts, rows, groups, 32), dtype=np.uint8)
    scales = (np.arange(experts * rows * groups, dtype=np.int64) % 252).astype(np.uint8).reshape(experts, rows, groups)
    table = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
    values = np.ldexp(table[codes], scales[..., None].astype(np.int32) - 127).astype(np.float32)
    # llama.cpp has the first half of a block in the lower halves of its bytes, and the scale before them.
    theirs = np.concatenate([scales[..., None], codes[..., :16] | codes[..., 16:] << 4], -1).reshape(-1, 17)
    same = quants.dequantize(np.ascontiguousarray(theirs), GGMLQuantizationType.MXFP4).reshape(values.shape)
    assert (same == values).all()
    name = "model.layers.0.mlp.experts.gate_up_proj"
    stored = {f"{name}_blocks": codes[..., 0::2] | codes[..., 1::2] << 4, f"{name}_scales": scales}
    expected = {name: values.reshape(experts, rows, groups * 32).transpose(0, 2, 1)}
    extra = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}
    write("mxfp4", {"quantization_config": extra}, stored, expected)


# ------------------------------------------------------------------------------------------- MLX


def mlx_pack(codes, bits):
    rows = []
    for row in codes.astype(np.uint64):
        if bits in (2, 4, 8):
            per = 32 // bits
            words = [sum(int(code) << (bits * k) for k, code in enumerate(row[at : at + per])) for at in range(0, len(row), per)]
            rows.append(np.array(words, np.uint32))
        else:
            per, data = (4 if bits == 6 else 8), bytearray()
            for at in range(0, len(row), per):
                out = sum(int(code) << (bits * k) for k, code in enumerate(row[at : at + per]))
                data += bytes((out >> (8 * byte)) & 0xFF for byte in range(per * bits // 8))
            rows.append(np.frombuffer(bytes(data), np.uint32))
    return np.stack(rows)


def affine(weight, size, bits, scale_type):
    """Codes, scales and lowest values of groups of a row, by their least and largest value."""
    groups = weight.reshape(weight.shape[0], -1, size)
    low, high = groups.min(-1), groups.max(-1)
    scales = ((high - low) / (2**bits - 1)).astype(scale_type)
    biases = low.astype(scale_type)
    codes = np.rint((groups - biases.astype(np.float32)[..., None]) / scales.astype(np.float32)[..., None])
    return np.clip(codes, 0, 2**bits - 1).astype(np.uint8), scales, biases


def mlx():
    apart = {"model.layers.1.self_attn.q_proj": 3, "model.layers.1.self_attn.o_proj": 5, "model.layers.0.mlp.down_proj": 6,
             "model.layers.2.mlp.up_proj": 2, "model.layers.2.mlp.gate_proj": 8}

    def quantise(name, weight):
        module = name.removesuffix(".weight")
        if module == "model.layers.0.self_attn.v_proj":
            return None
        bits = apart.get(module, 4)
        codes, scales, biases = affine(weight, 16, bits, np.float16)
        # One rounding: in float64 product and sum of such numbers are exact.
        values = codes * scales.astype(np.float64)[..., None] + biases.astype(np.float64)[..., None]
        packed = mlx_pack(codes.reshape(weight.shape), bits)
        return {"": values.reshape(weight.shape).astype(np.float32), ".weight": packed, ".scales": scales, ".biases": biases}

    said = {"group_size": 16, "bits": 4, **{name: {"group_size": 16, "bits": bits} for name, bits in apart.items()}}
    said["model.layers.0.self_attn.v_proj"] = False
    whole("mlx", "llama", quantise, {"quantization": said, "quantization_config": said}, np.float16)


# ------------------------------------------------------------------------------------------- GPTQ


def gptq_lines(codes, bits):
    """`pack` of AutoGPTQ: codes that follow one another along the first axis, into words along it."""
    codes = codes.astype(np.uint32)
    packed = np.zeros((len(codes) * bits // 32, codes.shape[1]), np.uint32)
    i = row = 0
    while row < len(packed):
        if bits != 3:
            for j in range(i, i + 32 // bits):
                packed[row] |= codes[j] << (bits * (j - i))
            i += 32 // bits
            row += 1
            continue
        for j in range(i, i + 10):
            packed[row] |= codes[j] << (3 * (j - i))
        i += 10
        packed[row] |= codes[i] << 30
        row += 1
        packed[row] |= (codes[i] >> 2) & 1
        i += 1
        for j in range(i, i + 10):
            packed[row] |= codes[j] << (3 * (j - i) + 1)
        i += 10
        packed[row] |= codes[i] << 31
        row += 1
        packed[row] |= (codes[i] >> 1) & 0x3
        i += 1
        for j in range(i, i + 10):
            packed[row] |= codes[j] << (3 * (j - i) + 2)
        i += 10
        row += 1
    return packed


def gptq_parts(weight, bits, size, order, first_form, scale_type=np.float16):
    """order: the group of each input, or None. The values are scale times (code less zero point), by input and output."""
    outputs, inputs = weight.shape
    groups = inputs // size
    group_of = np.arange(inputs) // size if order is None else order
    scales = random.uniform(0.005, 0.03, (groups, outputs)).astype(scale_type)
    zeros = random.integers(0, 2**bits, (groups, outputs))
    spread, zero = scales.astype(np.float32)[group_of], zeros[group_of]
    codes = np.clip(np.rint(weight.T / spread) + zero, 0, 2**bits - 1).astype(np.int64)
    values = (spread * (codes - zero).astype(np.float32)).T
    parts = {"": np.ascontiguousarray(values), ".qweight": gptq_lines(codes, bits).view(np.int32)}
    # As GPTQModel writes the first form: words less a word of ones; of 3 bits each zero point less one.
    packed = gptq_lines((zeros.T - first_form) % 8 if bits == 3 else zeros.T, bits).T
    ones = {2: 0x55555555, 3: 0, 4: 0x11111111, 8: 0x01010101}[bits] if first_form else 0
    parts[".qzeros"] = np.ascontiguousarray(packed - np.uint32(ones)).view(np.int32)
    parts[".scales"] = scales
    if order is not None:
        parts[".g_idx"] = order.astype(np.int32)
    return parts


def gptq():
    def quantise(name, weight):
        if "layers" not in name:
            return None
        order = random.permutation(np.arange(weight.shape[1]) // 16)
        return gptq_parts(weight, 4, 16, order, 1)

    said = {"bits": 4, "group_size": 16, "desc_act": True, "sym": False, "damp_percent": 0.1, "quant_method": "gptq"}
    said |= {"checkpoint_format": "gptq", "static_groups": False, "true_sequential": True, "model_name_or_path": None}
    whole("gptq", "llama", quantise, {"quantization_config": said}, np.float16)
    for bits, form, size in ((2, 1, 32), (3, 1, 32), (3, 0, 64), (4, 0, 64), (8, 1, 16)):
        parts = gptq_parts(matrix(32, 64), bits, size, None, form)
        said = {"bits": bits, "group_size": -1 if size == 64 else size, "quant_method": "gptq"}
        if form == 0:
            said["checkpoint_format"] = "gptq_v2"
        expected = {"a.weight": parts.pop("")}
        stored = {f"a{part}": value for part, value in parts.items()}
        write(f"gptq-{bits}-bit-v{2 - form}", {"quantization_config": said}, stored, expected)


# ------------------------------------------------------------------------------------------- AWQ


def awq_lines(codes):
    """`WQLinear_GEMM.from_linear` of AutoAWQ: eight codes of a row into a word."""
    packed = np.zeros((codes.shape[0], codes.shape[1] // 8), np.uint32)
    for col in range(packed.shape[1]):
        for i, place in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
            packed[:, col] |= codes[:, col * 8 + place].astype(np.uint32) << (i * 4)
    return packed.view(np.int32)


def awq():
    def quantise(name, weight):
        if "layers" not in name:
            return None
        outputs, inputs = weight.shape
        scales = random.uniform(0.01, 0.03, (inputs // 16, outputs)).astype(np.float16)
        zeros = random.integers(0, 16, (inputs // 16, outputs))
        spread, zero = np.repeat(scales.astype(np.float32), 16, 0), np.repeat(zeros, 16, 0)
        codes = np.clip(np.rint(weight.T / spread) + zero, 0, 15).astype(np.int64)
        values = np.ascontiguousarray((spread * (codes - zero).astype(np.float32)).T)
        return {"": values, ".qweight": awq_lines(codes), ".qzeros": awq_lines(zeros), ".scales": scales}

    said = {"bits": 4, "group_size": 16, "quant_method": "awq", "version": "gemm", "zero_point": True}
    said["modules_to_not_convert"] = None
    whole("awq", "mistral", quantise, {"quantization_config": said}, np.float16)


shutil.rmtree(TARGET, ignore_errors=True)
for make in (fp8_blocks, fp8_channels, fp8_tensors, mxfp4, mlx, gptq, awq):
    make()
