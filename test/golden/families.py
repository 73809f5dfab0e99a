#!/usr/bin/env python3
"""Makes the golden files of the families that make.py has not.

A few lines of PyTorch in float64, written from the models' papers and documentation, without transformers: Debian's
python3-torch is enough (made with 1.13.0). From the repository root, without network:

    /usr/bin/python3 test/golden/families.py                  # every case
    /usr/bin/python3 test/golden/families.py granite olmo2    # only these cases

The decoders among them are compared with llama.cpp too, by test/unit/llama-cpp, which shares nothing with this file. The
encoders' layers are PyTorch's own `TransformerEncoderLayer`.

Every case is a folder with config.json (as transformers 5 writes it), config.v4.json in some cases (the same model as files
on the hub have it), model.safetensors (float32, random) and golden.json. The run stops if a weight has no influence on the
result, save those that cannot have one, or if a change of the case's setting does not change it.
"""

import json
import math
import os
import sys
import zlib

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

HERE = os.path.dirname(os.path.abspath(__file__))
N, VOCABULARY, FIRST_TOKEN, DIGITS = 40, 288, 3, 8

# ------------------------------------------------------------------------------------------- mathematics


def rms_norm(x, weight, eps):
    return weight * x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps)


def yarn(theta, columns, factor, original_max_position_embeddings, beta_fast, beta_slow, attention_factor, **_):
    """Frequencies of columns, and the size of what is turned (arXiv 2309.00071): slow columns are divided, fast ones kept."""
    plain = theta ** (-torch.arange(columns // 2) * 2 / columns)

    def column(turns):
        return columns * math.log(original_max_position_embeddings / (2 * math.pi * turns)) / (2 * math.log(theta))

    low, high = max(0, math.floor(column(beta_fast))), min(columns - 1, math.ceil(column(beta_slow)))
    share = ((torch.arange(columns // 2) - low) / (high - low)).clamp(0, 1)
    return plain * (1 - share) + plain / factor * share, attention_factor


def rotated(x, theta, columns, factor=1, frequencies=None, size=1.0):
    """Turns columns j and j + columns/2 of each head as one complex number; the others stay. x is [heads, N, m]."""
    half = columns // 2
    positions = torch.arange(x.shape[1], dtype=torch.float64) / factor
    angles = torch.outer(positions, theta ** (-torch.arange(half) / half) if frequencies is None else frequencies)
    turned = torch.complex(x[..., :half], x[..., half:columns]) * torch.polar(torch.full_like(angles, size), angles)
    return torch.cat([turned.real, turned.imag, x[..., columns:]], -1)


# A mask [N, N] in place of every layer's own, for what a model gives under a scenario.
SCENARIO = []


def visible(window):
    """The pairs of query and key that a layer sees."""
    distance = torch.arange(N)[:, None] - torch.arange(N)[None, :]
    return SCENARIO[0] if SCENARIO else (distance >= 0) & (distance < (window or N))


def attention(q, k, v, scale, window=None, cap=None):
    """Causal attention of [heads, N, m]; consecutive query heads share a key-value head. Gives [N, heads m]."""
    group = q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(group, 0), v.repeat_interleave(group, 0)
    scores = capped(scale * q @ k.transpose(1, 2), cap).masked_fill(~visible(window), -math.inf)
    return (scores.softmax(-1) @ v).transpose(0, 1).reshape(N, -1)


def capped(x, cap):
    return cap * torch.tanh(x / cap) if cap else x


def heads_of(x, count):
    return x.view(N, count, -1).transpose(0, 1)


def llama_family(c, w, tokens):
    """SmolLM3, Granite, and OLMo 2 and 3."""
    kind, eps = c["model_type"], c["rms_norm_eps"]
    heads, kv, d = c["num_attention_heads"], c["num_key_value_heads"], c["hidden_size"]
    m, theta = d // heads, c["rope_parameters"]["rope_theta"]
    granite, olmo = kind == "granite", kind in ("olmo2", "olmo3")
    scale = c["attention_multiplier"] if granite else m**-0.5
    x = w["model.embed_tokens.weight"][tokens] * (c["embedding_multiplier"] if granite else 1)
    for i in range(c["num_hidden_layers"]):
        def weight(name):
            return w[f"model.layers.{i}.{name}.weight"]

        def attend(y):
            q, k, v = (y @ weight(f"self_attn.{part}_proj").T for part in "qkv")
            if olmo:
                q, k = rms_norm(q, weight("self_attn.q_norm"), eps), rms_norm(k, weight("self_attn.k_norm"), eps)
            q, k, v = heads_of(q, heads), heads_of(k, kv), heads_of(v, kv)
            window = None
            if kind != "smollm3" or c["no_rope_layers"][i]:
                frequencies, size = None, 1.0
                if kind == "olmo3" and c["layer_types"][i] == FULL:
                    frequencies, size = yarn(theta, m, **c["rope_parameters"])
                q, k = (rotated(y, theta, m, 1, frequencies, size) for y in (q, k))
            if kind in ("smollm3", "olmo3") and c["layer_types"][i] == "sliding_attention":
                window = c["sliding_window"]
            return attention(q, k, v, scale, window) @ weight("self_attn.o_proj").T

        def network(y):
            return (F.silu(y @ weight("mlp.gate_proj").T) * (y @ weight("mlp.up_proj").T)) @ weight("mlp.down_proj").T

        if olmo:
            x = x + rms_norm(attend(x), weight("post_attention_layernorm"), eps)
            x = x + rms_norm(network(x), weight("post_feedforward_layernorm"), eps)
        else:
            share = c["residual_multiplier"] if granite else 1
            x = x + share * attend(rms_norm(x, weight("input_layernorm"), eps))
            x = x + share * network(rms_norm(x, weight("post_attention_layernorm"), eps))
    head = w["model.embed_tokens.weight"] if c["tie_word_embeddings"] else w["lm_head.weight"]
    logits = rms_norm(x, w["model.norm.weight"], eps) @ head.T
    return logits / c["logits_scaling"] if granite else logits


def gemma(c, w, tokens):
    """Gemma 2 (arXiv 2408.00118) and the text part of Gemma 3 (arXiv 2503.19786)."""
    d, eps, heads, kv, m = (c[k] for k in ("hidden_size", "rms_norm_eps", "num_attention_heads", "num_key_value_heads", "head_dim"))
    third = c["model_type"] == "gemma3_text"
    x = w["model.embed_tokens.weight"][tokens] * math.sqrt(d)
    for i in range(c["num_hidden_layers"]):
        def norm(name, y):
            return rms_norm(y, 1 + w[f"model.layers.{i}.{name}.weight"], eps)

        def linear(name, y):
            return y @ w[f"model.layers.{i}.{name}.weight"].T

        y = norm("input_layernorm", x)
        q, k, v = (heads_of(linear(f"self_attn.{part}_proj", y), n) for part, n in (("q", heads), ("k", kv), ("v", kv)))
        local = c["layer_types"][i] == LOCAL
        rope = c["rope_parameters"]
        if third:
            q, k = norm("self_attn.q_norm", q), norm("self_attn.k_norm", k)
            rope = rope[c["layer_types"][i]]
        q, k = (rotated(y, rope["rope_theta"], m, rope.get("factor", 1)) for y in (q, k))
        scale, window = c["query_pre_attn_scalar"] ** -0.5, c["sliding_window"] if local else None
        y = linear("self_attn.o_proj", attention(q, k, v, scale, window, c["attn_logit_softcapping"]))
        x = x + norm("post_attention_layernorm", y)
        y = norm("pre_feedforward_layernorm", x)
        y = linear("mlp.down_proj", F.gelu(linear("mlp.gate_proj", y), approximate="tanh") * linear("mlp.up_proj", y))
        x = x + norm("post_feedforward_layernorm", y)
    x = rms_norm(x, 1 + w["model.norm.weight"], eps)
    return capped(x @ w["model.embed_tokens.weight"].T, c["final_logit_softcapping"])


def phi3(c, w, tokens):
    """Phi-3 (arXiv 2404.14219) and Phi-4-mini (arXiv 2503.01743), with LongRoPE (arXiv 2402.13753)."""
    d, eps, heads, kv = (c[k] for k in ("hidden_size", "rms_norm_eps", "num_attention_heads", "num_key_value_heads"))
    m, rope, original = d // heads, c["rope_parameters"], c["original_max_position_embeddings"]
    columns = int(m * rope["partial_rotary_factor"])
    factors = torch.tensor(rope["long_factor" if N > original else "short_factor"], dtype=torch.float64)
    frequencies = 1 / (factors * rope["rope_theta"] ** (torch.arange(0, columns, 2) / columns))
    size = math.sqrt(1 + math.log(c["max_position_embeddings"] / original) / math.log(original))
    x = w["model.embed_tokens.weight"][tokens]
    for i in range(c["num_hidden_layers"]):
        def weight(name):
            return w[f"model.layers.{i}.{name}.weight"]

        q, k, v = (rms_norm(x, weight("input_layernorm"), eps) @ weight("self_attn.qkv_proj").T).split([heads * m, kv * m, kv * m], -1)
        q, k, v = heads_of(q, heads), heads_of(k, kv), heads_of(v, kv)
        q, k = (rotated(y, None, columns, 1, frequencies, size) for y in (q, k))
        x = x + attention(q, k, v, m**-0.5, c["sliding_window"]) @ weight("self_attn.o_proj").T
        gate, up = (rms_norm(x, weight("post_attention_layernorm"), eps) @ weight("mlp.gate_up_proj").T).chunk(2, -1)
        x = x + (F.silu(gate) * up) @ weight("mlp.down_proj").T
    head = w["model.embed_tokens.weight"] if c["tie_word_embeddings"] else w["lm_head.weight"]
    return rms_norm(x, w["model.norm.weight"], eps) @ head.T


def cohere2(c, w, tokens):
    """Command R7B: one norm before both halves of a layer; a rope of neighbouring columns on layers with a window only."""
    d, eps, heads, kv, m = (c[k] for k in ("hidden_size", "layer_norm_eps", "num_attention_heads", "num_key_value_heads", "head_dim"))
    angles = torch.outer(torch.arange(N, dtype=torch.float64), c["rope_parameters"]["rope_theta"] ** (-torch.arange(0, m, 2) / m))
    turn = torch.polar(torch.ones_like(angles), angles)

    def neighbours(x):
        return torch.view_as_real(torch.view_as_complex(x.reshape(*x.shape[:-1], m // 2, 2)) * turn).flatten(-2)

    x = w["model.embed_tokens.weight"][tokens]
    for i in range(c["num_hidden_layers"]):
        def linear(name, y):
            return F.linear(y, w[f"model.layers.{i}.{name}.weight"], w.get(f"model.layers.{i}.{name}.bias"))

        y = F.layer_norm(x, [d], w[f"model.layers.{i}.input_layernorm.weight"], None, eps)
        q, k, v = (heads_of(linear(f"self_attn.{part}_proj", y), n) for part, n in (("q", heads), ("k", kv), ("v", kv)))
        local = c["layer_types"][i] == LOCAL
        if local:
            q, k = neighbours(q), neighbours(k)
        attended = linear("self_attn.o_proj", attention(q, k, v, m**-0.5, c["sliding_window"] if local else None))
        x = x + attended + linear("mlp.down_proj", F.silu(linear("mlp.gate_proj", y)) * linear("mlp.up_proj", y))
    x = F.layer_norm(x, [d], w["model.norm.weight"], None, eps)
    return c["logit_scale"] * x @ w["model.embed_tokens.weight"].T


def gpt_neo(c, w, tokens):
    """Learned positions, scores that are not scaled, and windows on the layers that are local."""
    d, eps, heads = c["hidden_size"], c["layer_norm_epsilon"], c["num_heads"]
    x = w["transformer.wte.weight"][tokens] + w["transformer.wpe.weight"][:N]
    for i in range(c["num_layers"]):
        def linear(name, y):
            return F.linear(y, w[f"transformer.h.{i}.{name}.weight"], w.get(f"transformer.h.{i}.{name}.bias"))

        def norm(name, y):
            return F.layer_norm(y, [d], w[f"transformer.h.{i}.{name}.weight"], w[f"transformer.h.{i}.{name}.bias"], eps)

        y = norm("ln_1", x)
        q, k, v = (heads_of(linear(f"attn.attention.{part}_proj", y), heads) for part in "qkv")
        window = c["window_size"] if c["attention_layers"][i] == "local" else None
        x = x + linear("attn.attention.out_proj", attention(q, k, v, c.get("scale", 1), window))
        x = x + linear("mlp.c_proj", F.gelu(linear("mlp.c_fc", norm("ln_2", x)), approximate="tanh"))
    return F.layer_norm(x, [d], w["transformer.ln_f.weight"], w["transformer.ln_f.bias"], eps) @ w["transformer.wte.weight"].T


def gpt_neox(c, w, tokens):
    heads, d, eps = c["num_attention_heads"], c["hidden_size"], c["layer_norm_eps"]
    m, rope = d // heads, c["rope_parameters"]
    columns = int(m * rope["partial_rotary_factor"])
    act = {"gelu": F.gelu, "gelu_new": lambda y: F.gelu(y, approximate="tanh")}[c["hidden_act"]]
    x = w["gpt_neox.embed_in.weight"][tokens]
    for i in range(c["num_hidden_layers"]):
        def linear(name, y):
            name = f"gpt_neox.layers.{i}.{name}"
            return F.linear(y, w[f"{name}.weight"], w.get(f"{name}.bias"))

        def norm(name, y):
            name = f"gpt_neox.layers.{i}.{name}"
            return F.layer_norm(y, [d], w[f"{name}.weight"], w[f"{name}.bias"], eps)

        def network(y):
            return linear("mlp.dense_4h_to_h", act(linear("mlp.dense_h_to_4h", norm("post_attention_layernorm", y))))

        fused = linear("attention.query_key_value", norm("input_layernorm", x)).view(N, heads, 3, m)
        q, k, v = (fused[:, :, part].transpose(0, 1) for part in range(3))
        q, k = rotated(q, rope["rope_theta"], columns), rotated(k, rope["rope_theta"], columns)
        attended = linear("attention.dense", attention(q, k, v, m**-0.5))
        if c["use_parallel_residual"]:
            x = x + attended + network(x)
        else:
            x = x + attended
            x = x + network(x)
    x = F.layer_norm(x, [d], w["gpt_neox.final_layer_norm.weight"], w["gpt_neox.final_layer_norm.bias"], eps)
    return x @ w["embed_out.weight"].T


def roberta(c, w, tokens):
    base = "roberta." if c["architectures"][0].endswith("ForMaskedLM") else ""
    d, eps = c["hidden_size"], c["layer_norm_eps"]
    where = torch.arange(N) + c["pad_token_id"] + 1
    e = f"{base}embeddings."
    x = w[f"{e}word_embeddings.weight"][tokens] + w[f"{e}position_embeddings.weight"][where]
    x = x + w[f"{e}token_type_embeddings.weight"][0]
    x = F.layer_norm(x, [d], w[f"{e}LayerNorm.weight"], w[f"{e}LayerNorm.bias"], eps)
    for i in range(c["num_hidden_layers"]):
        layer = f"{base}encoder.layer.{i}."
        own = {}
        for theirs, name in [
            ("self_attn.out_proj", "attention.output.dense"),
            ("norm1", "attention.output.LayerNorm"),
            ("linear1", "intermediate.dense"),
            ("linear2", "output.dense"),
            ("norm2", "output.LayerNorm"),
        ]:
            for end in ("weight", "bias"):
                own[f"{theirs}.{end}"] = w[f"{layer}{name}.{end}"]
        for end in ("weight", "bias"):
            parts = [w[f"{layer}attention.self.{part}.{end}"] for part in ("query", "key", "value")]
            own[f"self_attn.in_proj_{end}"] = torch.cat(parts)
        module = nn.TransformerEncoderLayer(
            d, c["num_attention_heads"], c["intermediate_size"], dropout=0, activation=F.gelu, layer_norm_eps=eps, batch_first=True
        )
        x = torch.nn.utils.stateless.functional_call(module, own, (x[None],))[0]
    if base == "":
        return x
    x = F.gelu(F.linear(x, w["lm_head.dense.weight"], w["lm_head.dense.bias"]))
    x = F.layer_norm(x, [d], w["lm_head.layer_norm.weight"], w["lm_head.layer_norm.bias"], eps)
    return F.linear(x, w[f"{e}word_embeddings.weight"], w["lm_head.bias"])


# ------------------------------------------------------------------------------------------- checkpoints


def shapes_of_llama_family(c):
    heads, kv, d, f = c["num_attention_heads"], c["num_key_value_heads"], c["hidden_size"], c["intermediate_size"]
    q, k = d, kv * (d // heads)
    shapes = {"model.embed_tokens.weight": [VOCABULARY, d], "model.norm.weight": [d]}
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [VOCABULARY, d]
    norms = ["post_attention_layernorm", "post_feedforward_layernorm" if c["model_type"].startswith("olmo") else "input_layernorm"]
    for i in range(c["num_hidden_layers"]):
        layer = {
            "self_attn.q_proj": [q, d], "self_attn.k_proj": [k, d], "self_attn.v_proj": [k, d], "self_attn.o_proj": [d, q],
            "mlp.gate_proj": [f, d], "mlp.up_proj": [f, d], "mlp.down_proj": [d, f], **{norm: [d] for norm in norms},
        }
        if c["model_type"].startswith("olmo"):
            layer.update({"self_attn.q_norm": [q], "self_attn.k_norm": [k]})
        shapes.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})
    return shapes


def shapes_of_gemma(c):
    heads, kv, d, m = c["num_attention_heads"], c["num_key_value_heads"], c["hidden_size"], c["head_dim"]
    shapes = shapes_of_llama_family({**c, "intermediate_size": c["intermediate_size"]})
    for i in range(c["num_hidden_layers"]):
        layer = {
            "self_attn.q_proj": [heads * m, d], "self_attn.k_proj": [kv * m, d], "self_attn.v_proj": [kv * m, d],
            "self_attn.o_proj": [d, heads * m], "pre_feedforward_layernorm": [d], "post_feedforward_layernorm": [d],
        }
        if c["model_type"] == "gemma3_text":
            layer.update({"self_attn.q_norm": [m], "self_attn.k_norm": [m]})
        shapes.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})
    return shapes


def shapes_of_cohere2(c):
    heads, kv, d, f, m = (c[k] for k in ("num_attention_heads", "num_key_value_heads", "hidden_size", "intermediate_size", "head_dim"))
    shapes = {"model.embed_tokens.weight": [VOCABULARY, d], "model.norm.weight": [d]}
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        for name, shape in [("q", [heads * m, d]), ("k", [kv * m, d]), ("v", [kv * m, d]), ("o", [d, heads * m])]:
            linear = with_bias(f"{layer}self_attn.{name}_proj", *shape)
            shapes.update(linear if c["attention_bias"] else {f"{layer}self_attn.{name}_proj.weight": shape})
        for name, shape in [("input_layernorm", [d]), ("mlp.gate_proj", [f, d]), ("mlp.up_proj", [f, d]), ("mlp.down_proj", [d, f])]:
            shapes[f"{layer}{name}.weight"] = shape
    return shapes


def shapes_of_gpt_neo(c):
    d = c["hidden_size"]
    shapes = {"transformer.wte.weight": [VOCABULARY, d], "transformer.wpe.weight": [c["max_position_embeddings"], d]}
    shapes.update(with_bias("transformer.ln_f", d))
    for i in range(c["num_layers"]):
        layer = f"transformer.h.{i}."
        shapes.update({f"{layer}attn.attention.{part}_proj.weight": [d, d] for part in "qkv"})
        for name, shape in [
            ("ln_1", [d]), ("ln_2", [d]), ("attn.attention.out_proj", [d, d]), ("mlp.c_fc", [4 * d, d]), ("mlp.c_proj", [d, 4 * d]),
        ]:
            shapes.update(with_bias(layer + name, *shape))
    return shapes


def shapes_of_phi3(c):
    heads, kv, d, f = c["num_attention_heads"], c["num_key_value_heads"], c["hidden_size"], c["intermediate_size"]
    shapes = {"model.embed_tokens.weight": [VOCABULARY, d], "model.norm.weight": [d]}
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [VOCABULARY, d]
    for i in range(c["num_hidden_layers"]):
        layer = {
            "input_layernorm": [d], "post_attention_layernorm": [d], "self_attn.qkv_proj": [(heads + 2 * kv) * (d // heads), d],
            "self_attn.o_proj": [d, d], "mlp.gate_up_proj": [2 * f, d], "mlp.down_proj": [d, f],
        }
        shapes.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})
    return shapes


def with_bias(name, *shape):
    return {f"{name}.weight": list(shape), f"{name}.bias": [shape[0]]}


def shapes_of_gpt_neox(c):
    d, f = c["hidden_size"], c["intermediate_size"]
    shapes = {"gpt_neox.embed_in.weight": [VOCABULARY, d], "embed_out.weight": [VOCABULARY, d]}
    shapes.update(with_bias("gpt_neox.final_layer_norm", d))
    for i in range(c["num_hidden_layers"]):
        layer = f"gpt_neox.layers.{i}."
        for name, shape in [("attention.query_key_value", [3 * d, d]), ("attention.dense", [d, d])]:
            linear = with_bias(layer + name, *shape)
            shapes.update(linear if c["attention_bias"] else {f"{layer}{name}.weight": shape})
        for name, shape in [
            ("input_layernorm", [d]), ("post_attention_layernorm", [d]), ("mlp.dense_h_to_4h", [f, d]), ("mlp.dense_4h_to_h", [d, f]),
        ]:
            shapes.update(with_bias(layer + name, *shape))
    return shapes


def shapes_of_roberta(c):
    head = c["architectures"][0].endswith("ForMaskedLM")
    base, d, f = "roberta." if head else "", c["hidden_size"], c["intermediate_size"]
    shapes = {
        f"{base}embeddings.word_embeddings.weight": [VOCABULARY, d],
        f"{base}embeddings.position_embeddings.weight": [c["max_position_embeddings"], d],
        f"{base}embeddings.token_type_embeddings.weight": [c["type_vocab_size"], d],
        **with_bias(f"{base}embeddings.LayerNorm", d),
    }
    for i in range(c["num_hidden_layers"]):
        for name, shape in [
            ("attention.self.query", [d, d]), ("attention.self.key", [d, d]), ("attention.self.value", [d, d]),
            ("attention.output.dense", [d, d]), ("attention.output.LayerNorm", [d]),
            ("intermediate.dense", [f, d]), ("output.dense", [d, f]), ("output.LayerNorm", [d]),
        ]:
            shapes.update(with_bias(f"{base}encoder.layer.{i}.{name}", *shape))
    if head:
        shapes.update({**with_bias("lm_head.dense", d, d), **with_bias("lm_head.layer_norm", d), "lm_head.bias": [VOCABULARY]})
    return shapes


# What other scripts say of the size of their own weights: each gives None for a weight that is none of its own.
OWN_SIZES = []


def random_weights(shapes, generator, norm_offset=0, score_size=1.5):
    """Float32 numbers of a size that keeps attention far from uniform and every part of the model in play."""
    weights = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        own = next((sized for rule in OWN_SIZES if (sized := rule(name, values)) is not None), None)
        if own is not None:
            values = own
        elif ("norm" in name.lower() or ".ln_" in name) and name.endswith("weight"):
            values = 1 - norm_offset + 0.2 * values
        elif len(shape) == 1:
            values = 0.3 * values
        elif any(part in name for part in ("embeddings.", "embed_", ".wte.", ".wpe.")):
            values = 0.5 * values
        else:
            values = values * (score_size if any(part in name for part in ("q_proj", "k_proj", "qkv_proj", "query", "key")) else 1) / math.sqrt(shape[1])
        weights[name] = values.float()
    return weights


def write_safetensors(path, weights):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, values in weights.items():
        size = 4 * values.numel()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in weights.values():
            file.write(values.contiguous().numpy().tobytes())


def write_golden(path, head, key, values):
    """JSON with one row of numbers in a line, as make.py writes it."""
    start = json.dumps({name: value for name, value in head.items() if name != "tokens"}, indent=1).removesuffix("\n}")
    tokens = json.dumps(head["tokens"], separators=(",", ":"))
    rows = ",\n".join("[" + ",".join(f"{value:.{DIGITS}g}" for value in row) + "]" for row in values.tolist())
    with open(path, "w") as file:
        file.write(f'{start},\n "tokens": {tokens},\n "{key}": [\n{rows}\n]\n}}\n')


# ------------------------------------------------------------------------------------------------- cases

COMMON = {"dtype": "float32", "initializer_range": 0.02, "transformers_version": "5.18.0", "use_cache": True, "vocab_size": VOCABULARY}
SIZES = {"hidden_size": 32, "intermediate_size": 48, "max_position_embeddings": 64, "num_attention_heads": 4, "num_hidden_layers": 3}
DECODER = {
    **COMMON, **SIZES, "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None,
    "hidden_act": "silu", "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
}
ENCODER = {
    **COMMON, **SIZES, "add_cross_attention": False, "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "classifier_dropout": None,
    "eos_token_id": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "is_decoder": False, "layer_norm_eps": 1e-5,
    "pad_token_id": 1, "tie_word_embeddings": True, "type_vocab_size": 1,
}
NEOX = {
    **COMMON, **SIZES, "attention_bias": True, "attention_dropout": 0.0, "bos_token_id": 0, "classifier_dropout": 0.1, "eos_token_id": 2,
    "hidden_act": "gelu", "hidden_dropout": 0.0, "is_decoder": False, "layer_norm_eps": 1e-5, "num_attention_heads": 2,
    "pad_token_id": None, "rope_parameters": {"partial_rotary_factor": 0.25, "rope_theta": 10000.0, "rope_type": "default"},
    "tie_word_embeddings": False, "use_parallel_residual": True,
}
FULL, LOCAL = "full_attention", "sliding_attention"


def rope(theta):
    return {"rope_parameters": {"rope_theta": theta, "rope_type": "default"}}


def smollm3(layers, interval, window=None):
    turns = [int((i + 1) % interval != 0) for i in range(layers)]
    return {
        **DECODER, **rope(10000.0), "architectures": ["SmolLM3ForCausalLM"], "model_type": "smollm3", "mlp_bias": False,
        "num_hidden_layers": layers, "no_rope_layer_interval": interval, "no_rope_layers": turns, "sliding_window": window,
        "layer_types": [FULL if turn or window is None else LOCAL for turn in turns], "use_sliding_window": window is not None,
        "tie_word_embeddings": True,
    }


def phi3_config(original, maximum, short, long, **own):
    rope = {"rope_type": "longrope", "rope_theta": 100.0, "partial_rotary_factor": 1.0, "short_factor": short, "long_factor": long}
    return {
        **DECODER, "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "num_hidden_layers": 2, "num_key_value_heads": 4,
        "rope_parameters": {**rope, "original_max_position_embeddings": original, **own.pop("rope", {})}, "sliding_window": None,
        "original_max_position_embeddings": original, "max_position_embeddings": maximum, "embd_pdrop": 0.0, "resid_pdrop": 0.0,
        "tie_word_embeddings": False, "attention_bias": False, **own,
    }


def cohere2_config(layers, pattern, **own):
    decoder = {key: value for key, value in DECODER.items() if key != "rms_norm_eps"}
    return {
        **decoder, **rope(50000.0), "architectures": ["Cohere2ForCausalLM"], "model_type": "cohere2", "num_hidden_layers": layers,
        "head_dim": 16, "layer_norm_eps": 1e-5, "logit_scale": 0.25, "sliding_window": 8, "tie_word_embeddings": True,
        "layer_types": [FULL if (i + 1) % pattern == 0 else LOCAL for i in range(layers)], **own,
    }


def gemma_config(kind, layers, pattern, **own):
    return {
        **DECODER, "model_type": kind, "num_hidden_layers": layers, "head_dim": 16, "num_attention_heads": 4, "rms_norm_eps": 1e-6,
        "hidden_activation": "gelu_pytorch_tanh", "hidden_act": None, "query_pre_attn_scalar": 9, "sliding_window": 8,
        "layer_types": [FULL if (i + 1) % pattern == 0 else LOCAL for i in range(layers)], "tie_word_embeddings": True,
        "use_bidirectional_attention": None if kind == "gemma2" else False, "attn_logit_softcapping": None, "final_logit_softcapping": None, **own,
    }


# The model's configuration, its function and shapes, a change that must matter, and what config.v4.json has in other words:
# None is left out.
CASES = {
    "smollm3": (
        smollm3(4, 4), llama_family, shapes_of_llama_family, {"no_rope_layers": [1, 1, 1, 1]},
        {"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": None, "no_rope_layers": None, "layer_types": None,
         "tie_word_embeddings": None, "max_window_layers": 28, "pretraining_tp": 2},
    ),
    "smollm3-window": (smollm3(3, 2, window=8), llama_family, shapes_of_llama_family, {"sliding_window": 9}, None),
    "granite": (
        {**DECODER, **rope(10000.0), "architectures": ["GraniteForCausalLM"], "model_type": "granite", "mlp_bias": False,
         "attention_multiplier": 0.25, "embedding_multiplier": 3.0, "logits_scaling": 2.0, "residual_multiplier": 0.7,
         "tie_word_embeddings": True},
        llama_family, shapes_of_llama_family, {"attention_multiplier": 8**-0.5},
        {"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": None, "logits_scaling": 2, "embedding_multiplier": 3},
    ),
    "olmo2": (
        {**DECODER, **rope(500000.0), "architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2", "rms_norm_eps": 1e-6,
         "tie_word_embeddings": False},
        llama_family, shapes_of_llama_family, {"rms_norm_eps": 1e-3},
        {"rope_parameters": None, "rope_theta": 500000, "rope_scaling": None},
    ),
    "olmo3": (
        {**DECODER, "architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3", "rms_norm_eps": 1e-6, "tie_word_embeddings": False,
         "num_hidden_layers": 4, "sliding_window": 8, "layer_types": [LOCAL, LOCAL, LOCAL, FULL],
         "rope_parameters": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64,
                             "beta_fast": 32.0, "beta_slow": 1.0, "attention_factor": 1.3}, "max_position_embeddings": 256},
        llama_family, shapes_of_llama_family, {"layer_types": [LOCAL, LOCAL, FULL, LOCAL]},
        {"rope_parameters": None, "rope_theta": 10000, "layer_types": None,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1,
                          "attention_factor": 1.3}},
    ),
    "gemma2": (
        gemma_config("gemma2", 3, 2, **rope(10000.0), architectures=["Gemma2ForCausalLM"], attn_logit_softcapping=5.0,
                     final_logit_softcapping=12.0),
        gemma, shapes_of_gemma, {"attn_logit_softcapping": None},
        {"rope_parameters": None, "rope_theta": 10000.0, "layer_types": None, "hidden_act": "gelu_pytorch_tanh", "cache_implementation": "hybrid",
         "tie_word_embeddings": None, "rms_norm_eps": None, "hidden_activation": None},
    ),
    "gemma3": (
        gemma_config(
            "gemma3_text", 6, 6, architectures=["Gemma3ForCausalLM"], query_pre_attn_scalar=20, num_key_value_heads=1,
            rope_parameters={FULL: {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                             LOCAL: {"rope_type": "default", "rope_theta": 10000.0}},
        ),
        gemma, shapes_of_gemma, {"query_pre_attn_scalar": 16},
        {"rope_parameters": None, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "layer_types": None, "sliding_window_pattern": 6,
         "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "cache_implementation": "hybrid"},
    ),
    # 40 tokens are more than the original 24: long factors.
    "phi3": (
        phi3_config(24, 96, [1.0, 1.1, 1.2, 1.5], [1.0, 1.5, 3.0, 4.0], sliding_window=12),
        phi3, shapes_of_phi3, {"original_max_position_embeddings": 40},
        {"rope_parameters": None, "rope_theta": 100.0,
         "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.5], "long_factor": [1.0, 1.5, 3.0, 4.0]},
         "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}},
    ),
    # And fewer than 512: short ones, on three quarters of each head.
    "phi4-mini": (
        phi3_config(
            512, 2048, [1.0, 1.2, 1.5, 1.7, 2.0, 2.5], [1.0, 2.0, 4.0, 8.0, 16.0, 20.0], num_attention_heads=2, num_key_value_heads=1,
            rope={"partial_rotary_factor": 0.75}, tie_word_embeddings=True,
        ),
        phi3, shapes_of_phi3, {"original_max_position_embeddings": 24}, None,
    ),
    "cohere2": (
        cohere2_config(4, 4, head_dim=8), cohere2, shapes_of_cohere2, {"layer_types": [FULL, LOCAL, LOCAL, LOCAL]},
        {"rope_parameters": None, "rope_theta": 50000, "rope_scaling": None, "layer_types": None, "sliding_window_pattern": 4,
         "layer_switch": 4, "order_of_interleaved_layers": "local_attn_first", "position_embedding_type": "rope_gptj", "rotary_pct": 1.0,
         "use_embedding_sharing": True, "use_gated_activation": True, "use_parallel_block": True, "use_parallel_embedding": False,
         "tie_word_embeddings": None, "cache_implementation": "hybrid"},
    ),
    "cohere2-bias": (
        cohere2_config(2, 2, attention_bias=True), cohere2, shapes_of_cohere2, {"sliding_window": 9}, None,
    ),
    "gpt-neo": (
        {**COMMON, "architectures": ["GPTNeoForCausalLM"], "model_type": "gpt_neo", "activation_function": "gelu_new",
         "attention_dropout": 0.0, "attention_layers": ["global", "local", "global"], "attention_types": [[["global", "local"], 1], [["global"], 1]],
         "bos_token_id": 1, "eos_token_id": 2, "embed_dropout": 0.0, "resid_dropout": 0.0, "classifier_dropout": 0.1,
         "hidden_size": 32, "intermediate_size": None, "layer_norm_epsilon": 1e-5, "max_position_embeddings": 48, "num_heads": 4,
         "num_layers": 3, "window_size": 8, "tie_word_embeddings": True},
        gpt_neo, shapes_of_gpt_neo, {"scale": 8**-0.5},
        {"attention_layers": None, "tie_word_embeddings": None, "gradient_checkpointing": False, "summary_type": "cls_index"},
    ),
    "roberta": (
        {**ENCODER, "architectures": ["RobertaForMaskedLM"], "model_type": "roberta"},
        roberta, shapes_of_roberta, {"pad_token_id": 0},
        {"is_decoder": None, "add_cross_attention": None, "tie_word_embeddings": None, "position_embedding_type": "absolute"},
    ),
    "xlm-roberta": (
        {**ENCODER, "architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "num_hidden_layers": 2},
        roberta, shapes_of_roberta, {"pad_token_id": 0}, {"output_past": True, "position_embedding_type": "absolute"},
    ),
    "gpt-neox": (
        {**NEOX, "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox"},
        gpt_neox, shapes_of_gpt_neox, {"use_parallel_residual": False},
        {"rope_parameters": None, "rotary_emb_base": 10000, "rotary_pct": 0.25, "rope_scaling": None, "attention_bias": None},
    ),
    "gpt-neox-sequential": (
        {**NEOX, "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "use_parallel_residual": False,
         "hidden_act": "gelu_new", "attention_bias": False, "num_hidden_layers": 2,
         "rope_parameters": {"partial_rotary_factor": 1.0, "rope_theta": 100.0, "rope_type": "default"}},
        gpt_neox, shapes_of_gpt_neox, {"use_parallel_residual": True}, None,
    ),
}


# Norms by 1 + w are stored as w; scores that a cap is to bend are larger.
RANDOM = {"gemma2": {"norm_offset": 1, "score_size": 2.0}, "gemma3": {"norm_offset": 1}, "phi4-mini": {"score_size": 1.0}, "gpt-neo": {"score_size": 0.7}}


def without_influence(name):
    """The bias of keys, which softmax takes away where none rotate: in encoders, and in the second layer of cohere2-bias."""
    return name.endswith((".attention.self.key.bias", "layers.1.self_attn.k_proj.bias"))


def make(name):
    c, function, shapes_of, change, older = CASES[name]
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    tokens = torch.randint(FIRST_TOKEN, VOCABULARY, (N,), generator=generator)
    stored = random_weights(shapes_of(c), generator, **RANDOM.get(name, {}))
    weights = {key: values.double().requires_grad_() for key, values in stored.items()}
    result = function(c, weights, tokens)
    (result * torch.randn(result.shape, generator=generator)).sum().backward()
    idle = [key for key, w in weights.items() if not without_influence(key) and (w.grad is None or w.grad.abs().max() < 1e-6)]
    other = function({**c, **change}, weights, tokens)
    moved = (other - result).abs().max().item()
    if idle or moved < 1e-3:
        raise SystemExit(f"{name}: no influence of {idle}, or of {change}: {moved}")
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    configs = {"config.json": c}
    if older is not None:
        v4 = {key: value for key, value in {**c, **older}.items() if value is not None or key == "rope_scaling"}
        configs["config.v4.json"] = {**{key: value for key, value in v4.items() if key != "dtype"}, "torch_dtype": "float32"}
    for file, config in configs.items():
        with open(os.path.join(folder, file), "w") as out:
            out.write(json.dumps(config, indent=2, sort_keys=True) + "\n")
    write_safetensors(os.path.join(folder, "model.safetensors"), stored)
    key = "hidden" if c["architectures"][0].endswith("Model") else "logits"
    head = {"case": name, "architecture": c["architectures"][0], "torch": torch.__version__, "tokens": tokens.tolist()}
    write_golden(os.path.join(folder, "golden.json"), head, key, result)
    print(f"{name}: largest {result.abs().max().item():.1f}, {change} moves it by {moved:.2g}")


if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        make(case)
