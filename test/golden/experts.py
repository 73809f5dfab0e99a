#!/usr/bin/env python3
"""Makes the golden files of the families with experts, learned sinks or ALiBi, as families.py makes those of others:

    /usr/bin/python3 test/golden/experts.py                  # every case
    /usr/bin/python3 test/golden/experts.py mixtral          # only this case

Every expert is computed for every token here, and those that were not chosen weigh 0: the product groups tokens by expert. The
run stops if a choice of experts is near a tie, since float32 could then choose another.
"""

import json
import math
import os
import sys

import torch
from torch.nn import functional as F

import families
from families import COMMON, DECODER, FULL, LOCAL, N, VOCABULARY, heads_of, rms_norm, rope, visible, with_bias

# ------------------------------------------------------------------------------------------- mathematics


def turned(x, c):
    """Rotates the halves of each head [heads, N, m], by YaRN if the configuration says so (arXiv 2309.00071)."""
    half, parameters = x.shape[-1] // 2, c["rope_parameters"]
    theta = parameters["rope_theta"]
    frequencies, factor = theta ** (-torch.arange(half) / half), 1.0
    if parameters["rope_type"] == "yarn":
        def column(turns):
            return half * math.log(parameters["original_max_position_embeddings"] / (turns * 2 * math.pi)) / math.log(theta)

        low, high = column(parameters["beta_fast"]), column(parameters["beta_slow"])
        if parameters["truncate"]:
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, 2 * half - 1)
        slow = ((torch.arange(half) - low) / (high - low)).clamp(0, 1)
        frequencies = frequencies * (1 - slow + slow / parameters["factor"])
        factor = 1 + 0.1 * math.log(parameters["factor"])
    angles = torch.outer(torch.arange(N, dtype=torch.float64), frequencies)
    pairs = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.full_like(angles, factor), angles)
    return torch.cat([pairs.real, pairs.imag], -1)


def attention(q, k, v, window, sinks):
    """Causal attention of [heads, N, m] with one more column of scores for a head's sink, which has no value."""
    group = q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(group, 0), v.repeat_interleave(group, 0)
    scores = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).masked_fill(~visible(window), -math.inf)
    if sinks is not None:
        scores = torch.cat([scores, sinks[:, None, None].expand(-1, N, 1)], -1)
    return (scores.softmax(-1)[..., :N] @ v).transpose(0, 1).reshape(N, -1)


def weights_of_experts(logits, chosen, renormalised):
    """A softmax over all experts [N, E], of which the chosen ones are kept."""
    ordered = logits.sort(-1, descending=True).values
    gap = (ordered[:, chosen - 1] - ordered[:, chosen]).min().item()
    if gap < 1e-4:
        raise SystemExit(f"a choice of experts is {gap:.1e} from another")
    shares = logits.softmax(-1)
    kept = torch.where(logits >= ordered[:, chosen - 1 : chosen], shares, torch.zeros_like(shares))
    return kept / kept.sum(-1, keepdim=True) if renormalised else kept


def network_of_layer(c, w, i, y):
    kind, block = c["model_type"], f"model.layers.{i}.mlp."
    if kind == "gpt_oss":
        logits = F.linear(y, w[f"{block}router.weight"], w[f"{block}router.bias"])
        shares = weights_of_experts(logits, c["num_experts_per_tok"], True)
        both = torch.einsum("nd,edf->nef", y, w[f"{block}experts.gate_up_proj"]) + w[f"{block}experts.gate_up_proj_bias"]
        gate, up = both[..., 0::2].clamp(max=c["swiglu_limit"]), both[..., 1::2].clamp(-c["swiglu_limit"], c["swiglu_limit"])
        inner = (up + 1) * gate * torch.sigmoid(1.702 * gate)
        out = torch.einsum("nef,efd->ned", inner, w[f"{block}experts.down_proj"]) + w[f"{block}experts.down_proj_bias"]
        return torch.einsum("ne,ned->nd", shares, out)

    def one(name, gate="gate_proj", up="up_proj", down="down_proj"):
        inner = F.silu(y @ w[f"{name}{gate}.weight"].T) * (y @ w[f"{name}{up}.weight"].T)
        return inner @ w[f"{name}{down}.weight"].T

    if kind == "mixtral":
        block = f"model.layers.{i}.block_sparse_moe."
        shares = weights_of_experts(y @ w[f"{block}gate.weight"].T, c["num_experts_per_tok"], True)
        return sum(shares[:, e : e + 1] * one(f"{block}experts.{e}.", "w1", "w3", "w2") for e in range(c["num_local_experts"]))
    if not sparse(c, i):
        return one(block)
    shares = weights_of_experts(y @ w[f"{block}gate.weight"].T, c["num_experts_per_tok"], c["norm_topk_prob"])
    return sum(shares[:, e : e + 1] * one(f"{block}experts.{e}.") for e in range(c["num_experts"]))


def sparse(c, i):
    return (i + 1) % c["decoder_sparse_step"] == 0 and i not in c["mlp_only_layers"]


def decoder(c, w, tokens):
    kind, eps = c["model_type"], c["rms_norm_eps"]
    x = w["model.embed_tokens.weight"][tokens]
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        y = rms_norm(x, w[f"{layer}input_layernorm.weight"], eps)

        def projected(part, count):
            name = f"{layer}self_attn.{part}_proj"
            return heads_of(F.linear(y, w[f"{name}.weight"], w.get(f"{name}.bias")), count)

        q, k, v = projected("q", c["num_attention_heads"]), *(projected(part, c["num_key_value_heads"]) for part in "kv")
        if kind == "qwen3_moe":
            q, k = (rms_norm(z, w[f"{layer}self_attn.{part}_norm.weight"], eps) for part, z in (("q", q), ("k", k)))
        window = c["sliding_window"] if kind == "gpt_oss" and c["layer_types"][i] == LOCAL else None
        out = attention(turned(q, c), turned(k, c), v, window, w.get(f"{layer}self_attn.sinks"))
        x = x + F.linear(out, w[f"{layer}self_attn.o_proj.weight"], w.get(f"{layer}self_attn.o_proj.bias"))
        x = x + network_of_layer(c, w, i, rms_norm(x, w[f"{layer}post_attention_layernorm.weight"], eps))
    return rms_norm(x, w["model.norm.weight"], eps) @ w["lm_head.weight"].T


def alibi(c, w, tokens):
    """BLOOM and MPT: scores fall by a head's slope times the distance of query and key, as the paper has it (arXiv 2108.12409)."""
    bloom = c["model_type"] == "bloom"
    heads, d, eps = (c["n_head"], c["hidden_size"], 1e-5) if bloom else (c["n_heads"], c["d_model"], c["layer_norm_epsilon"])
    largest = 8 if bloom else c["attn_config"]["alibi_bias_max"]

    def slopes_of(count):
        if math.log2(count).is_integer():
            return [2 ** (-largest * (head + 1) / count) for head in range(count)]
        lower = 2 ** math.floor(math.log2(count))
        return slopes_of(lower) + slopes_of(2 * lower)[0::2][: count - lower]

    distance = (torch.arange(N)[:, None] - torch.arange(N)[None, :]).double()
    bias = -torch.tensor(slopes_of(heads))[:, None, None] * distance

    def norm(name, y):
        name = f"transformer.{name}"
        return F.layer_norm(y, [d], w[f"{name}.weight"], w.get(f"{name}.bias"), eps)

    def linear(name, y):
        name = f"transformer.{name}"
        return F.linear(y, w[f"{name}.weight"], w.get(f"{name}.bias"))

    head = w["transformer.word_embeddings.weight" if bloom else "transformer.wte.weight"]
    x = head[tokens]
    if bloom:
        x = norm("word_embeddings_layernorm", x)
    for i in range(c["n_layer" if bloom else "n_layers"]):
        layer = f"h.{i}." if bloom else f"blocks.{i}."
        y = norm(layer + ("input_layernorm" if bloom else "norm_1"), x)
        if bloom:
            q, k, v = linear(f"{layer}self_attention.query_key_value", y).view(N, heads, 3, -1).permute(2, 1, 0, 3)
        else:
            q, k, v = (heads_of(part, heads) for part in linear(f"{layer}attn.Wqkv", y).chunk(3, -1))
        scale = q.shape[-1] ** -0.5 if bloom else c["attn_config"]["softmax_scale"] or q.shape[-1] ** -0.5
        scores = (scale * q @ k.transpose(1, 2) + bias).masked_fill(~visible(None), -math.inf)
        out = (scores.softmax(-1) @ v).transpose(0, 1).reshape(N, -1)
        x = x + linear(layer + ("self_attention.dense" if bloom else "attn.out_proj"), out)
        y = norm(layer + ("post_attention_layernorm" if bloom else "norm_2"), x)
        if bloom:
            x = x + linear(f"{layer}mlp.dense_4h_to_h", F.gelu(linear(f"{layer}mlp.dense_h_to_4h", y), approximate="tanh"))
        else:
            x = x + linear(f"{layer}ffn.down_proj", F.gelu(linear(f"{layer}ffn.up_proj", y)))
    return norm("ln_f" if bloom else "norm_f", x) @ head.T


# ------------------------------------------------------------------------------------------- checkpoints


def shapes_of_decoder(c):
    kind, d, heads, kv = c["model_type"], c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    m = c.get("head_dim") or d // heads
    shapes = {"model.embed_tokens.weight": [VOCABULARY, d], "model.norm.weight": [d], "lm_head.weight": [VOCABULARY, d]}
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        linears = {"q_proj": [heads * m, d], "k_proj": [kv * m, d], "v_proj": [kv * m, d], "o_proj": [d, heads * m]}
        for name, shape in linears.items():
            shapes[f"{layer}self_attn.{name}.weight"] = shape
            if kind == "gpt_oss":
                shapes[f"{layer}self_attn.{name}.bias"] = shape[:1]
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{layer}{name}.weight"] = [d]
        if kind == "qwen3_moe":
            shapes.update({f"{layer}self_attn.{part}_norm.weight": [m] for part in "qk"})
        if kind == "gpt_oss":
            e, f = c["num_local_experts"], c["intermediate_size"]
            shapes.update({
                f"{layer}self_attn.sinks": [heads], f"{layer}mlp.router.weight": [e, d], f"{layer}mlp.router.bias": [e],
                f"{layer}mlp.experts.gate_up_proj": [e, d, 2 * f], f"{layer}mlp.experts.gate_up_proj_bias": [e, 2 * f],
                f"{layer}mlp.experts.down_proj": [e, f, d], f"{layer}mlp.experts.down_proj_bias": [e, d],
            })
            continue
        if kind == "qwen3_moe" and not sparse(c, i):
            shapes.update(network(f"{layer}mlp.", d, c["intermediate_size"]))
            continue
        mixtral = kind == "mixtral"
        block = layer + ("block_sparse_moe." if mixtral else "mlp.")
        e = c["num_local_experts" if mixtral else "num_experts"]
        shapes[f"{block}gate.weight"] = [e, d]
        for expert in range(e):
            names = ("w1", "w3", "w2") if mixtral else ("gate_proj", "up_proj", "down_proj")
            shapes.update(network(f"{block}experts.{expert}.", d, c["intermediate_size" if mixtral else "moe_intermediate_size"], names))
    return shapes


def network(block, d, f, names=("gate_proj", "up_proj", "down_proj")):
    return dict(zip((f"{block}{name}.weight" for name in names), ([f, d], [f, d], [d, f])))


def shapes_of_bloom(c):
    d = c["hidden_size"]
    shapes = {"transformer.word_embeddings.weight": [VOCABULARY, d]}
    shapes.update(with_bias("transformer.word_embeddings_layernorm", d))
    for i in range(c["n_layer"]):
        layer = f"transformer.h.{i}."
        for name, shape in [
            ("input_layernorm", [d]), ("self_attention.query_key_value", [3 * d, d]), ("self_attention.dense", [d, d]),
            ("post_attention_layernorm", [d]), ("mlp.dense_h_to_4h", [4 * d, d]), ("mlp.dense_4h_to_h", [d, 4 * d]),
        ]:
            shapes.update(with_bias(layer + name, *shape))
    shapes.update(with_bias("transformer.ln_f", d))
    return shapes


def shapes_of_mpt(c):
    d, f = c["d_model"], c["d_model"] * c["expansion_ratio"]
    shapes = {"transformer.wte.weight": [VOCABULARY, d], "transformer.norm_f.weight": [d]}
    for i in range(c["n_layers"]):
        layer = f"transformer.blocks.{i}."
        shapes.update({
            f"{layer}norm_1.weight": [d], f"{layer}attn.Wqkv.weight": [3 * d, d], f"{layer}attn.out_proj.weight": [d, d],
            f"{layer}norm_2.weight": [d], f"{layer}ffn.up_proj.weight": [f, d], f"{layer}ffn.down_proj.weight": [d, f],
        })
    return shapes


def own_size(name, values):
    """Sinks that take a real share, routers that decide, and gates that reach their limit."""
    if name.endswith("self_attn.sinks"):
        return 1 + 2 * values
    if name.endswith(("router.weight", "block_sparse_moe.gate.weight", "mlp.gate.weight")):
        return 2 * values / math.sqrt(values.shape[1])
    if name.endswith("gate_up_proj"):
        return 4 * values / math.sqrt(values.shape[1])
    if name.endswith("Wqkv.weight"):
        return 1.5 * values / math.sqrt(values.shape[1])
    if name.endswith(("wte.weight", "word_embeddings.weight")):
        return 0.5 * values
    return 0.3 * values if name.endswith("proj_bias") else None


# ------------------------------------------------------------------------------------------------- cases

MIXTRAL = {
    **DECODER, **rope(10000.0), "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_experts_per_tok": 2,
    "num_local_experts": 4, "intermediate_size": 24, "num_hidden_layers": 2, "output_router_logits": False, "router_aux_loss_coef": 0.001,
    "router_jitter_noise": 0.0, "sliding_window": None, "tie_word_embeddings": False,
}
MIXTRAL.pop("attention_bias")
QWEN = {
    **DECODER, **rope(10000.0), "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "decoder_sparse_step": 1,
    "head_dim": 16, "mlp_only_layers": [], "moe_intermediate_size": 12, "norm_topk_prob": True, "num_experts": 8, "num_experts_per_tok": 3,
    "num_hidden_layers": 2, "output_router_logits": False, "rms_norm_eps": 1e-6, "router_aux_loss_coef": 0.001, "sliding_window": None,
    "tie_word_embeddings": False, "use_sliding_window": False,
}
GPT_OSS = {
    **DECODER, "architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss", "attention_bias": True, "head_dim": 8,
    "intermediate_size": 32, "layer_types": [LOCAL, FULL, LOCAL], "num_experts_per_tok": 2, "num_local_experts": 4, "num_hidden_layers": 3,
    "output_router_logits": False, "router_aux_loss_coef": 0.9, "sliding_window": 8, "swiglu_limit": 7.0, "tie_word_embeddings": False,
    "rope_parameters": {
        "beta_fast": 32.0, "beta_slow": 1.0, "factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 10.0,
        "rope_type": "yarn", "truncate": False,
    },
}
BLOOM = {
    **COMMON, "apply_residual_connection_post_layernorm": False, "architectures": ["BloomForCausalLM"], "attention_dropout": 0.0,
    "bos_token_id": 1, "eos_token_id": 2, "hidden_dropout": 0.0, "hidden_size": 48, "layer_norm_epsilon": 1e-5, "model_type": "bloom",
    "n_head": 6, "n_layer": 2, "pad_token_id": 3, "pretraining_tp": 1, "slow_but_exact": False, "tie_word_embeddings": True,
}
MPT = {
    **COMMON, "architectures": ["MptForCausalLM"], "d_model": 32, "emb_pdrop": 0.0, "expansion_ratio": 4, "init_device": "cpu",
    "layer_norm_epsilon": 1e-5, "learned_pos_emb": True, "logit_scale": None, "max_seq_len": 64, "model_type": "mpt", "n_heads": 4,
    "n_layers": 3, "no_bias": True, "norm_type": "low_precision_layernorm", "resid_pdrop": 0.0, "tie_word_embeddings": True, "verbose": 0,
    "attn_config": {
        "alibi": True, "alibi_bias_max": 8, "attn_impl": "torch", "attn_pdrop": 0, "attn_type": "multihead_attention",
        "attn_uses_sequence_id": False, "clip_qkv": None, "prefix_lm": False, "qk_ln": False, "softmax_scale": None,
    },
}
OLD_ROPE = {"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": None}

CASES = {
    "mixtral": (MIXTRAL, decoder, shapes_of_decoder, {"num_experts_per_tok": 1}, OLD_ROPE),
    "qwen3-moe": (QWEN, decoder, shapes_of_decoder, {"norm_topk_prob": False}, {**OLD_ROPE, "max_window_layers": 2}),
    "qwen3-moe-mixed": (
        {**QWEN, "num_hidden_layers": 5, "decoder_sparse_step": 2, "mlp_only_layers": [1], "norm_topk_prob": False},
        decoder, shapes_of_decoder, {"norm_topk_prob": True}, None,
    ),
    "gpt-oss": (
        GPT_OSS, decoder, shapes_of_decoder, {"swiglu_limit": 70.0},
        {"rope_parameters": None, "rope_theta": 10, "rope_scaling": {
            key: value for key, value in GPT_OSS["rope_parameters"].items() if key != "rope_theta"},
         "experts_per_token": 2, "initial_context_length": 16},
    ),
    "bloom": (
        BLOOM, alibi, shapes_of_bloom, {"n_head": 3},
        {"hidden_size": None, "n_embed": 48, "n_head": None, "num_attention_heads": 6, "n_inner": None, "offset_alibi": 100,
         "tie_word_embeddings": None, "attention_softmax_in_fp32": True, "masked_softmax_fusion": True},
    ),
    "mpt": (
        MPT, alibi, shapes_of_mpt, {"attn_config": {**MPT["attn_config"], "alibi_bias_max": 7}},
        {"architectures": ["MPTForCausalLM"], "embedding_fraction": 1, "init_config": {}, "tie_word_embeddings": None,
         "tokenizer_name": "EleutherAI/gpt-neox-20b"},
    ),
}

# Masks in place of a model's own, as the product writes them, and as one of q and k.
SCENARIOS = [
    ({"kind": "sliding-window", "window": 5}, lambda q, k: (k <= q) & (q - k < 5)),
    ({"kind": "attention-sink", "window": 6, "sinks": 2}, lambda q, k: (k <= q) & ((q - k < 6) | (k < 2))),
    ({"kind": "custom", "expression": "k <= q and q // 12 == k // 12"}, lambda q, k: (k <= q) & (q // 12 == k // 12)),
]
LOGITS = 24


def make_scenarios(name, c, function):
    """What a model gives under other masks: the first logits of every position, in scenarios.json beside golden.json."""
    folder = os.path.join(families.HERE, name)
    with open(os.path.join(folder, "golden.json")) as file:
        tokens = torch.tensor(json.load(file)["tokens"])
    weights = read_safetensors(os.path.join(folder, "model.safetensors"))
    cases = []
    for scenario, sees in SCENARIOS:
        families.SCENARIO[:] = [sees(torch.arange(N)[:, None], torch.arange(N)[None, :])]
        rows = function(c, weights, tokens)[:, :LOGITS].tolist()
        families.SCENARIO.clear()
        text = ",\n".join("[" + ",".join(f"{value:.8g}" for value in row) + "]" for row in rows)
        cases.append(f'{{"scenario": {json.dumps(scenario)}, "logits": [\n{text}\n]}}')
    with open(os.path.join(folder, "scenarios.json"), "w") as file:
        file.write("[\n" + ",\n".join(cases) + "\n]\n")
    print(f"{name}: {len(cases)} scenarios")


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__")
    return {
        name: torch.frombuffer(bytearray(data[slice(*entry["data_offsets"])]), dtype=torch.float32).view(entry["shape"]).double()
        for name, entry in header.items()
    }


if __name__ == "__main__":
    families.OWN_SIZES.append(own_size)
    families.CASES.update(CASES)
    for case in sys.argv[1:] or CASES:
        families.make(case)
    for case in ("gpt-oss", "qwen3-moe", "smollm3", "bloom"):
        if len(sys.argv) == 1 or case in sys.argv:
            make_scenarios(case, *families.CASES[case][:2])
