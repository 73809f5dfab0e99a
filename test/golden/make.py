#!/usr/bin/env python3
"""Makes the golden files in this folder from Hugging Face transformers.

Made with Python 3.11, torch 2.13.0 and transformers 5.18.0 (the versions that really ran are written into
each golden.json). From the repository root, without network:

    python test/golden/make.py                 # every case
    python test/golden/make.py llama bert      # only these cases
    python test/golden/make.py --tensors gpt2  # the names and shapes in a checkpoint made before

Every case is a folder with

    config.json, model.safetensors    as `save_pretrained` writes them (hub cases: see `hub_names`)
    config.v4.json                    some cases: the same model in the form of transformers 4.x and of the hub
    golden.json                       tokens, and the logits (or hidden states) of a float64 run

The numbers come from transformers' own modules. transformers widens to float32, and no further, in a few
places even when a model is float64: the norm of Llama and its relatives, the softmax, the angles of the
rotary embeddings, and ModernBERT's rotated queries and keys. `Lifted` below turns each such request for float32
into one for float64, and refuses to go on if any float32 tensor comes up, so that `logits` are float64 all
the way. `plainDoubleDifference` says how far a run with `model.double()` alone would be from them,
`float32Difference` how far the plain float32 run is.

Every case is also checked, and the run stops if a check fails:
  - the files give back every weight that was written;
  - the sdpa attention gives what the eager attention gives;
  - the attention weights are zero exactly outside the window that the case states, in every layer;
  - attention is not uniform: the largest weight of a query is, on average, well above the others;
  - every weight and bias in the checkpoint has an influence (a gradient), save those that cannot have one;
  - the case's setting matters: the logits change when it is changed;
  - config.v4.json loads and gives the same logits.
"""

import copy
import json
import os
import shutil
import sys
import tempfile
import time
import zlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

torch.set_num_threads(1)  # the same order of summation on every machine
transformers.utils.logging.disable_progress_bar()

HERE = os.path.dirname(os.path.abspath(__file__))
N = 40  # tokens
VOCABULARY = 288
FIRST_TOKEN = 3  # 0..2 are left to pad, bos and eos
DIGITS = 8  # significant digits in golden.json

# ---------------------------------------------------------------------------------------------- the cases

COMMON = {"vocab_size": VOCABULARY, "initializer_range": 0.02}

DECODER = {
    **COMMON,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": 2,
}

ENCODER = {
    **COMMON,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}

MODERN = {
    **ENCODER,
    "num_hidden_layers": 4,
    "local_attention": 8,
    "global_attn_every_n_layers": 3,
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 160000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
    },
    "pad_token_id": 0,
    "bos_token_id": 1,
    "cls_token_id": 1,
    "eos_token_id": 2,
    "sep_token_id": 2,
}

GPT2 = {
    **COMMON,
    "n_embd": 32,
    "n_head": 4,
    "n_layer": 2,  # n_inner stays None, which means 4 * n_embd; two layers keep the file small
    "n_positions": 48,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def rope(kind, theta, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


class Case:
    """model: the transformers class; config: its settings; v4: whether to write config.v4.json, and which
    extra fields it has; change: settings that must change the logits; windows: for each layer None (all
    that the causal or full mask allows) or the window w, which means q - k < w for a causal model and
    |q - k| <= w for an encoder; stored: the type of the weights in the file; shards: size of a shard;
    hub: the names and layout of the checkpoints on the hub (see hub_names)."""

    def __init__(self, model, config, v4=None, change=None, windows=None, stored="float32", shards=None, hub=False):
        self.model, self.config, self.v4, self.change = model, config, v4, change
        self.windows, self.stored, self.shards, self.hub = windows, stored, shards, hub


PLAIN_ROPE = rope("default", 10000.0)

CASES = {
    "llama": Case("LlamaForCausalLM", {**DECODER, **PLAIN_ROPE}, v4={}, change=rope("default", 500.0)),
    "qwen3": Case(
        "Qwen3ForCausalLM",
        {**DECODER, "num_hidden_layers": 2, "head_dim": 16, "rms_norm_eps": 1e-6, **rope("default", 1000000.0)},
        v4={"sliding_window": None, "use_sliding_window": False, "max_window_layers": 2},
        change=rope("default", 500.0),
    ),
    "gpt2": Case("GPT2LMHeadModel", GPT2, v4={"n_ctx": 48}, change={"scale_attn_weights": False}),
    "bert": Case(
        "BertForMaskedLM",
        {**ENCODER, "layer_norm_eps": 1e-12},
        v4={"position_embedding_type": "absolute"},
        change={"hidden_act": "gelu_new"},
    ),
    "modernbert": Case(
        "ModernBertForMaskedLM",
        {**MODERN, "norm_eps": 1e-5},
        v4={"global_attn_every_n_layers": 3, "position_embedding_type": "absolute"},
        change={"local_attention": 12},
        windows=[None, 4, 4, None],
    ),
    "llama-untied-bias": Case(
        "LlamaForCausalLM",
        {
            **DECODER,
            "num_hidden_layers": 2,
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": False,
            "rms_norm_eps": 1e-3,
            **PLAIN_ROPE,
        },
        change={"rms_norm_eps": 1e-5},
    ),
    "llama-rope-linear": Case(
        "LlamaForCausalLM", {**DECODER, **rope("linear", 10000.0, factor=4.0)}, v4={}, change=PLAIN_ROPE
    ),
    "llama-rope-dynamic": Case(
        "LlamaForCausalLM",
        {**DECODER, "max_position_embeddings": 24, **rope("dynamic", 10000.0, factor=2.0)},
        v4={},
        change=PLAIN_ROPE,
    ),
    # theta 100: of the four frequencies the first stays, the second is mixed, the others are divided by 8
    "llama-rope-llama3": Case(
        "LlamaForCausalLM",
        {
            **DECODER,
            "max_position_embeddings": 256,
            **rope(
                "llama3",
                100.0,
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=32,
            ),
        },
        v4={},
        change=rope("default", 100.0),
    ),
    # theta 10: the ramp over the four frequencies is 0, 1/2, 1, 1 (10000 would give 0, 1, 1, 1)
    "llama-rope-yarn": Case(
        "LlamaForCausalLM",
        {**DECODER, **rope("yarn", 10.0, factor=4.0, original_max_position_embeddings=16)},
        v4={},
        change=rope("yarn", 10.0, factor=4.0, original_max_position_embeddings=16, attention_factor=1.0),
    ),
    # low = floor(1.53) = 1 and high = ceil(3.82) = 4, so the ramp over the four frequencies is 0, 0, 1/3, 2/3
    "llama-rope-yarn-factors": Case(
        "LlamaForCausalLM",
        {
            **DECODER,
            "max_position_embeddings": 2048,
            **rope(
                "yarn",
                100.0,
                factor=4.0,
                original_max_position_embeddings=512,
                attention_factor=1.3,
                beta_fast=14.0,
                beta_slow=1.0,
            ),
        },
        v4={},
        change=rope("yarn", 100.0, factor=4.0, original_max_position_embeddings=512, attention_factor=1.3),
    ),
    "llama-sharded": Case("LlamaForCausalLM", {**DECODER, **PLAIN_ROPE}, stored="bfloat16", shards="20KB"),
    "llama-float16": Case("LlamaForCausalLM", {**DECODER, **PLAIN_ROPE}, stored="float16"),
    "mistral": Case(
        "MistralForCausalLM",
        {**DECODER, "sliding_window": 8, **PLAIN_ROPE},
        v4={},
        change={"sliding_window": 9},
        windows=[8, 8, 8],
    ),
    "qwen2": Case(
        "Qwen2ForCausalLM",
        {
            **DECODER,
            "rms_norm_eps": 1e-6,
            "use_sliding_window": True,
            "sliding_window": 8,
            "max_window_layers": 1,
            **rope("default", 1000000.0),
        },
        v4={},
        change={"sliding_window": 9},
        windows=[None, 8, 8],
    ),
    # in the old form sliding_window is a number even where it is not used, as in the files on the hub
    "qwen2-plain": Case(
        "Qwen2ForCausalLM",
        {
            **DECODER,
            "num_hidden_layers": 2,
            "tie_word_embeddings": False,
            "rms_norm_eps": 1e-6,
            "use_sliding_window": False,
            "sliding_window": 8,
            "max_window_layers": 1,
            **PLAIN_ROPE,
        },
        v4={"sliding_window": 8},
        change={"use_sliding_window": True, "sliding_window": 8, "layer_types": None},
    ),
    "smollm": Case(
        "LlamaForCausalLM",
        {
            **DECODER,
            "hidden_size": 24,
            "num_attention_heads": 3,
            "num_key_value_heads": 1,
            **rope("default", 100000.0),
        },
        v4={"rope_interleaved": False, "pretraining_tp": 1},
    ),
    "bert-plain": Case("BertModel", {**ENCODER, "layer_norm_eps": 1e-3}, change={"layer_norm_eps": 1e-5}),
    # beyond what the real ModernBERT checkpoints use: every bias that the configuration can turn on
    "modernbert-bias": Case(
        "ModernBertForMaskedLM",
        {
            **MODERN,
            "num_hidden_layers": 3,
            "norm_eps": 1e-3,
            "norm_bias": True,
            "attention_bias": True,
            "mlp_bias": True,
            "classifier_bias": True,
        },
        change={"norm_eps": 1e-5},
        windows=[None, 4, 4],
    ),
    # the names that the old checkpoints on the hub (openai-community/gpt2, bert-base-uncased) have
    "gpt2-hub": Case("GPT2LMHeadModel", {**GPT2, "n_layer": 1}, v4={"n_ctx": 48}, hub=True),
    "bert-hub": Case("BertForMaskedLM", {**ENCODER, "num_hidden_layers": 2}, v4={}, hub=True),
}

# ------------------------------------------------------------------------------------------- float64 runs


class Lifted(TorchFunctionMode):
    """Turns every request for float32 into one for float64, and refuses a float32 result."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        def lift(value):
            return torch.float64 if value is torch.float32 else value

        if func is torch.Tensor.float:
            func = torch.Tensor.double
        result = func(*map(lift, args), **{key: lift(value) for key, value in (kwargs or {}).items()})
        if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
            raise AssertionError(f"float32 within the float64 run: {func}")
        return result


def run(model, tokens, **more):
    """The logits, or the last hidden states of a model without a head, and the whole output."""
    output = model(input_ids=torch.tensor([tokens]), **more)
    return (output.logits if "logits" in output else output.last_hidden_state)[0], output


class Float64:
    """Within this block the model is float64 throughout, rotary frequencies included."""

    def __init__(self, model):
        self.model, self.mode = model, Lifted()

    def __enter__(self):
        self.model.double()
        torch.set_default_dtype(torch.float64)
        self.mode.__enter__()
        for module in self.model.modules():
            if type(module).__name__.endswith("RotaryEmbedding"):
                module.__init__(module.config)  # the frequencies again, from the configuration
                module.eval()

    def __exit__(self, *problem):
        self.mode.__exit__(*problem)
        torch.set_default_dtype(torch.float32)


def load(case, folder, attention="eager", **changes):
    """The model in a folder, as float32, as anyone would load it."""
    kind = getattr(transformers, case.model)
    config = kind.config_class.from_pretrained(folder)
    if changes:
        config = kind.config_class(**{**config.to_dict(), **changes})
    return kind.from_pretrained(folder, config=config, dtype=torch.float32, attn_implementation=attention).eval()


def exact(case, folder, tokens, **options):
    model = load(case, folder, **options)
    with torch.no_grad(), Float64(model):
        return run(model, tokens)[0]


# ------------------------------------------------------------------------------------------------ weights


def initialise(model, seed):
    """Random numbers everywhere: weights of deviation 0.2, biases of 0.3, norm weights around 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # tied tensors come once
            values = torch.randn(parameter.shape, generator=generator)
            last, owner = name.split(".")[-1], name.split(".")[-2] if "." in name else ""
            if last == "bias":
                values *= 0.3
            elif "norm" in owner.lower() or owner.startswith("ln_"):
                values = 1 + 0.3 * values
            else:
                values *= 0.2
            parameter.copy_(values)


def hub_names(case, folder):
    """Renames the tensors as the oldest checkpoints on the hub have them.

    GPT-2: no "transformer." before the names, and in each layer the causal mask as a tensor `attn.bias`.
    BERT: gamma and beta for the norms, and the heads and buffers of the pre-training model besides."""
    path = os.path.join(folder, "model.safetensors")
    tensors = load_file(path)
    generator = torch.Generator().manual_seed(1)
    if case.model == "GPT2LMHeadModel":
        tensors = {name.removeprefix("transformer."): value for name, value in tensors.items()}
        for layer in range(case.config["n_layer"]):
            size = case.config["n_positions"]
            tensors[f"h.{layer}.attn.bias"] = torch.ones(size, size).tril().view(1, 1, size, size)
    else:
        norm = {"weight": "gamma", "bias": "beta"}
        tensors = {
            ".".join([*name.split(".")[:-1], norm[name.split(".")[-1]]]) if "LayerNorm" in name else name: value
            for name, value in tensors.items()
        }
        width = case.config["hidden_size"]
        for name, shape in {
            "bert.pooler.dense.weight": (width, width),
            "bert.pooler.dense.bias": (width,),
            "cls.seq_relationship.weight": (2, width),
            "cls.seq_relationship.bias": (2,),
        }.items():
            tensors[name] = 0.3 * torch.randn(shape, generator=generator)
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata={"format": "pt"})


def old_config(config, extra):
    """A configuration as transformers 4.x wrote it and as most files on the hub have it."""
    old = copy.deepcopy(config)
    kind = old["model_type"]
    parameters = old.pop("rope_parameters", None)
    old.pop("layer_types", None)
    if kind == "modernbert":
        old["global_rope_theta"] = parameters["full_attention"]["rope_theta"]
        old["local_rope_theta"] = parameters["sliding_attention"]["rope_theta"]
    elif parameters is not None:
        old["rope_theta"] = parameters.pop("rope_theta")
        rope_type = parameters.pop("rope_type")
        # the key was "type" before it was "rope_type"; the llama3 kind never had the older key
        key = "rope_type" if rope_type == "llama3" else "type"
        old["rope_scaling"] = None if rope_type == "default" else {key: rope_type, **parameters}
    # fields that were often not there because they had their default
    if kind in ("gpt2", "bert", "modernbert"):
        old.pop("tie_word_embeddings", None)
    if kind in ("llama", "mistral"):
        old.pop("head_dim", None)
    if kind == "llama":
        old.pop("attention_bias", None)
        old.pop("mlp_bias", None)
    old["torch_dtype"] = old.pop("dtype")
    old["transformers_version"] = "4.44.0"
    old.update(extra)
    return dict(sorted(old.items()))


# ----------------------------------------------------------------------------------------------- checks

# A bias of the keys adds the same number to every score of a query, which softmax takes away, unless the keys
# are rotated afterwards; GPT-2 has it within c_attn.bias, BERT by itself. BERT's pooler feeds no output here.
NO_INFLUENCE = ("attention.self.key.bias", "pooler.dense.weight", "pooler.dense.bias")


def check_influence(name, model, tokens):
    generator = torch.Generator().manual_seed(2)
    with torch.enable_grad(), Float64(model):
        output = run(model, tokens)[0]
        (output * torch.randn(output.shape, generator=generator)).sum().backward()
    for parameter_name, parameter in model.named_parameters():
        largest = 0.0 if parameter.grad is None else parameter.grad.abs().max().item()
        expected = not parameter_name.endswith(NO_INFLUENCE)
        if (largest > 1e-3) != expected:
            raise AssertionError(f"{name}: {parameter_name} has a gradient of {largest}")


def check_attention(name, case, attentions):
    causal = case.model.endswith(("CausalLM", "LMHeadModel"))
    distance = torch.arange(N)[:, None] - torch.arange(N)[None, :]  # query - key
    for layer, weights in enumerate(attentions):
        window = case.windows[layer] if case.windows else None
        if causal:
            allowed = (distance >= 0) & (distance < (window or N))
        else:
            allowed = distance.abs() <= (N if window is None else window)
        if not torch.equal(weights[0] != 0, allowed.expand_as(weights[0])):
            raise AssertionError(f"{name}: layer {layer} does not have the stated window {window}")
        peak = (weights[0].max(-1).values * allowed.sum(-1))[:, 1:].mean().item()  # 1 if uniform
        if peak < 1.5:
            raise AssertionError(f"{name}: attention in layer {layer} is nearly uniform, {peak}")


def check_loaded(name, written, read):
    read = dict(read.named_parameters())
    for parameter_name, parameter in written.named_parameters():
        if not torch.equal(parameter.float(), read[parameter_name]):
            raise AssertionError(f"{name}: {parameter_name} was not read back from the checkpoint")


def check_close(name, what, difference, limit):
    if not difference <= limit:
        raise AssertionError(f"{name}: {what} differs by {difference}")


# ------------------------------------------------------------------------------------------------ output


def write_golden(path, head, key, values):
    """JSON with one row of numbers in a line."""

    def number(value):
        return f"{value:.{DIGITS}g}"

    rows = ",\n".join("[" + ",".join(map(number, row)) + "]" for row in values.tolist())
    start = json.dumps(head, indent=1).rstrip().removesuffix("}").rstrip()
    # the list of tokens in one line too
    tokens = json.dumps(head["tokens"], separators=(",", ":"))
    start = start[: start.index('"tokens"')] + f'"tokens": {tokens}'
    with open(path, "w") as file:
        file.write(f'{start},\n "{key}": [\n{rows}\n]\n}}\n')


def make(name, case):
    seed = zlib.crc32(name.encode())
    generator = torch.Generator().manual_seed(seed + 1)
    tokens = torch.randint(FIRST_TOKEN, VOCABULARY, (N,), generator=generator).tolist()
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)

    # the checkpoint
    kind = getattr(transformers, case.model)
    model = kind(kind.config_class(**case.config))
    initialise(model, seed)
    model = model.to(getattr(torch, case.stored))
    model.config.dtype = getattr(torch, case.stored)
    model.save_pretrained(folder, **({"max_shard_size": case.shards} if case.shards else {}))
    for file in os.listdir(folder):
        if file != "config.json" and not file.endswith((".safetensors", ".safetensors.index.json")):
            os.remove(os.path.join(folder, file))
    if case.hub:
        hub_names(case, folder)
    for file in os.listdir(folder):
        os.chmod(os.path.join(folder, file), 0o644)

    # the runs, all from the files just written
    single = load(case, folder)
    check_loaded(name, model, single)
    with torch.no_grad():
        float32 = run(single, tokens)[0].double()
        plain = run(load(case, folder).double(), tokens)[0]
    model = load(case, folder)
    with torch.no_grad(), Float64(model):
        values, output = run(model, tokens, output_attentions=True)

    # the checks
    check_attention(name, case, output.attentions)
    check_influence(name, load(case, folder), tokens)
    check_close(name, "sdpa", (exact(case, folder, tokens, attention="sdpa") - values).abs().max().item(), 1e-10)
    if case.change:
        change = (exact(case, folder, tokens, **case.change) - values).abs().max().item()
        if change < 3e-4:  # float32 noise is below 1e-5
            raise AssertionError(f"{name}: {case.change} changes nothing ({change})")
    if case.v4 is not None:
        path = os.path.join(folder, "config.json")
        with open(path) as file:
            old = old_config(json.load(file), case.v4)
        with open(os.path.join(folder, "config.v4.json"), "w") as file:
            file.write(json.dumps(old, indent=2) + "\n")
        with tempfile.TemporaryDirectory() as other:
            shutil.copy(os.path.join(folder, "config.v4.json"), os.path.join(other, "config.json"))
            shutil.copy(os.path.join(folder, "model.safetensors"), other)
            check_close(name, "config.v4.json", (exact(case, other, tokens) - values).abs().max().item(), 0)
        if case.hub:  # old files have old configurations only
            os.replace(os.path.join(folder, "config.v4.json"), path)

    differences = {
        "float32Difference": float(f"{(float32 - values).abs().max().item():.3g}"),
        "plainDoubleDifference": float(f"{(plain - values).abs().max().item():.3g}"),
    }
    key = "logits" if "logits" in output else "hidden"
    head = {
        "case": name,
        "architecture": case.model,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        **differences,
        "tokens": tokens,
    }
    write_golden(os.path.join(folder, "golden.json"), head, key, values)
    with open(os.path.join(folder, "golden.json")) as file:
        read = json.load(file)
    check_close(name, "golden.json", (torch.tensor(read[key], dtype=torch.float64) - values).abs().max().item(), 1e-6)

    size = sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder))
    spread = values.std().item()
    print(f"{name:24} float32 {differences['float32Difference']:.2e}  double {differences['plainDoubleDifference']:.2e}"
          f"  spread {spread:.2f}  {size / 1000:.0f} kB", flush=True)


def tensors(name):
    """Prints the names, types and shapes in a case's checkpoint."""
    folder = os.path.join(HERE, name)
    for file in sorted(os.listdir(folder)):
        if file.endswith(".safetensors"):
            with safe_open(os.path.join(folder, file), "pt") as opened:
                for key in sorted(opened.keys()):
                    part = opened.get_slice(key)
                    print(f"{name:20} {key:60} {part.get_dtype()} {part.get_shape()}")


def main(arguments):
    if arguments[:1] == ["--tensors"]:
        for name in arguments[1:] or CASES:
            tensors(name)
        return
    start = time.time()
    for name in arguments or CASES:
        make(name, CASES[name])
    print(f"{time.time() - start:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
