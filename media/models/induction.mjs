import { Buffer } from 'node:buffer';
import { mkdir, writeFile } from 'node:fs/promises';

/**
 * Writes the preset `induction-bytes`: a transformer whose weights are set by this script, not trained, so that its right
 * answers are known without running it. Its README says what it does.
 *
 * Induction heads: Olsson et al., arXiv 2209.11895; chains of variables: RULER, Hsieh et al., arXiv 2404.06654.
 *
 *   node media/models/induction.mjs
 */
const folder = 'media/models/induction-bytes';

/** Tokens of context that a match looks at, and definitions that are followed one after another. */
const context = 8;
const hops = 3;
/** One head in each layer: one that looks back for each token of context, one that matches, one for each definition. */
const layers = context + 1 + hops;
const headWidth = 128;
const positions = 131_072;
const bytes = 256;

/**
 * The codes of bytes: the 256 words of the Nordstrom-Robinson code as vectors of length 1 in 16 dimensions, whose products are
 * 1 with themselves and at most 1/4 with each other. It is a union of eight cosets of the Reed-Muller code RM(1, 4), whose
 * quadratic forms differ by bent ones (a Kerdock set). Bytes with the same first four bits share a coset, so digits are
 * orthogonal to each other; no two of ASCII are opposite.
 */
const variablePairs = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
];
const kerdockSet = largerSet([0]);

function largerSet(forms) {
  if (forms.length === 8) {
    return forms;
  }
  for (let form = forms.at(-1) + 1; form < 64; form += 1) {
    const larger = forms.every((other) => isBent(form ^ other)) ? largerSet([...forms, form]) : undefined;
    if (larger !== undefined) {
      return larger;
    }
  }
  return undefined;
}

/** Whether an alternating form in four variables is not degenerate: its Pfaffian is 1. */
function isBent(form) {
  const bit = (index) => (form >> index) & 1;
  return ((bit(0) & bit(5)) ^ (bit(1) & bit(4)) ^ (bit(2) & bit(3))) === 1;
}

function codeOf(byte) {
  const form = kerdockSet[(byte >> 4) & 7];
  return Array.from({ length: 16 }, (_, point) => {
    const at = (index) => (point >> index) & 1;
    const quadratic = variablePairs.filter(([i, j], index) => (form >> index) & at(i) & at(j) & 1).length;
    const linear = [0, 1, 2, 3].filter((index) => (byte >> index) & at(index) & 1).length;
    return (quadratic + linear + (byte >> 7)) % 2 === 0 ? 0.25 : -0.25;
  });
}

const isName = (byte) => byte >= 0x41 && byte <= 0x5a;
const equalsSign = 0x3d;

/** Where the residual stream holds what. */
let width = 0;
const place = (size) => (width += size) - size;
/** A token's code, once more if it is a name, and what it is: they adjoin, as heads copy all of it. */
const code = place(16);
const name = place(16);
const isEqualsSign = place(1);
const isNamed = place(1);
/** So large that a norm divides every token's vector by nearly the same number. */
const constant = place(1);
/** The codes of the tokens 1, 2, ... before. */
const before = Array.from({ length: context }, () => place(16));
/** Whether an equals sign is two tokens before, and the name four before, as at B in `A = B`. */
const equalsBefore = place(1);
const nameBefore = place(17);
/** At such a token, else zero: 1, the name that is defined, and the token as what it is defined as. */
const isDefinition = place(1);
const defined = place(16);
const definition = place(32);
/** What follows the context, what that is defined as, and so on. */
const found = Array.from({ length: hops + 1 }, () => place(32));
width = 16 * Math.ceil(width / 16);

const large = 64;
/** A norm's divisor, which weights that read the residual stream multiply with. */
const rms = large / Math.sqrt(width);
/** ln(131,072) is 11.8: scores that differ by twice as much leave nothing to others. */
const sharpness = 30;
/** Heads' scores are divided by it. */
const scaled = Math.sqrt(headWidth);
const ropeTheta = 2;
const feedForwardWidth = 49;

const tensors = new Map();

/** A matrix of zeros `[rows, columns]` that the checkpoint has under this name. */
function matrix(tensor, rows, columns) {
  const data = new Float32Array(rows * columns);
  tensors.set(tensor, { shape: [rows, columns], data });
  /** Row and column by row and column. */
  return (row, column, value, count = 1) => {
    for (let index = 0; index < count; index += 1) {
      data[(row + index) * columns + column + index] += value;
    }
  };
}

function ones(tensor) {
  tensors.set(tensor, { shape: [width], data: new Float32Array(width).fill(1) });
}

function embedding() {
  const set = matrix('model.embed_tokens.weight', bytes, width);
  set(equalsSign, isEqualsSign, 1);
  for (let byte = 0; byte < bytes; byte += 1) {
    set(byte, constant, large);
    set(byte, isNamed, Number(isName(byte)));
    codeOf(byte).forEach((value, index) => {
      set(byte, code + index, value);
      set(byte, name + index, isName(byte) ? value : 0);
    });
  }
}

/** The last thing that was found counts most: three times what went before. */
function head() {
  const set = matrix('lm_head.weight', bytes, width);
  for (let byte = 0; byte < bytes; byte += 1) {
    codeOf(byte).forEach((value, index) => found.forEach((slot, hop) => set(byte, slot + index, 60 * 3 ** hop * value * rms)));
  }
  ones('model.norm.weight');
}

function layer(index) {
  const of = (part) => `model.layers.${index}.${part}.weight`;
  const query = matrix(of('self_attn.q_proj'), headWidth, width);
  const key = matrix(of('self_attn.k_proj'), headWidth, width);
  const value = matrix(of('self_attn.v_proj'), headWidth, width);
  const output = matrix(of('self_attn.o_proj'), width, headWidth);
  const gate = matrix(of('mlp.gate_proj'), feedForwardWidth, width);
  const up = matrix(of('mlp.up_proj'), feedForwardWidth, width);
  const down = matrix(of('mlp.down_proj'), width, feedForwardWidth);
  ones(of('input_layernorm'));
  ones(of('post_attention_layernorm'));
  // What the token that is looked at is; of definitions, what they say.
  value(0, index <= context ? code : definition, rms, index <= context ? 34 : 32);
  if (index < context) {
    looksBack(index + 1);
  } else if (index === context) {
    matches();
  } else {
    follows(index - context - 1);
  }

  /** Attends to the token `distance` before: a rotary embedding of constant vectors, whose mean cosine is 1 there alone. */
  function looksBack(distance) {
    const pairs = headWidth / 2;
    // Elsewhere the mean cosine is at most 0.74.
    const length = ((4 * sharpness) / pairs) * scaled;
    for (let pair = 0; pair < pairs; pair += 1) {
      const angle = -distance * ropeTheta ** ((-2 * pair) / headWidth);
      key(pair, constant, 1 / Math.sqrt(width));
      query(pair, constant, (length * Math.cos(angle)) / Math.sqrt(width));
      query(pairs + pair, constant, (length * Math.sin(angle)) / Math.sqrt(width));
    }
    output(before[distance - 1], 0, 1, 16);
    if (distance === 2) {
      output(equalsBefore, 32, 1);
    }
    if (distance === 4) {
      output(nameBefore, 16, 1, 16);
      output(nameBefore + 16, 33, 1);
      // silu(20) is 20, silu(0) is 0, and silu(-20) next to it: what passes if both the sign and a name are there.
      for (let column = 0; column < feedForwardWidth; column += 1) {
        gate(column, equalsBefore, 20 * rms);
        gate(column, nameBefore + 16, 20 * rms);
        gate(column, constant, -20 / Math.sqrt(width));
      }
      up(0, constant, 1 / Math.sqrt(width));
      up(1, nameBefore, rms, 16);
      up(17, code, rms, 32);
      down(isDefinition, 0, 1 / 20, feedForwardWidth);
    }
  }

  /** Attends to the token before which the last tokens were the same: a score of `sharpness` for each of them. */
  function matches() {
    for (let distance = 0; distance < context; distance += 1) {
      query(16 * distance, distance === 0 ? code : before[distance - 1], sharpness * scaled * rms, 16);
      key(16 * distance, before[distance], rms, 16);
    }
    output(found[0], 0, 1, 32);
  }

  /** Attends to what the name that was found last is defined as; if that is none, to all that defines nothing. */
  function follows(hop) {
    query(0, found[hop] + 16, 2 * sharpness * scaled * rms, 16);
    key(0, defined, rms, 16);
    query(16, constant, (0.6 * 2 * sharpness * scaled) / Math.sqrt(width));
    key(16, constant, 1 / Math.sqrt(width));
    key(16, isDefinition, -rms);
    output(found[hop + 1], 0, 1, 32);
  }
}

/** The upper halves of float32 numbers, rounded. */
function bfloat16(data) {
  const bits = new Uint32Array(data.buffer);
  return Uint16Array.from(bits, (value) => (value + 0x7fff + ((value >>> 16) & 1)) >>> 16);
}

function safetensors() {
  let at = 0;
  const header = {};
  const bodies = [];
  for (const [tensor, { shape, data }] of tensors) {
    const body = Buffer.from(bfloat16(data).buffer);
    header[tensor] = { dtype: 'BF16', shape, data_offsets: [at, at + body.length] };
    at += body.length;
    bodies.push(body);
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(8 * Math.ceil(json.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...bodies]);
}

/** A token for each byte, in GPT-2's characters for bytes. */
function tokenizer() {
  const isPrinted = (byte) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let others = 256;
  const characters = Array.from({ length: bytes }, (_, byte) => String.fromCharCode(isPrinted(byte) ? byte : others++));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(characters.map((token, id) => [token, id])),
      merges: [],
    },
  };
}

/** SmolLM3's architecture has layers with a rotary embedding and layers without. */
const config = {
  architectures: ['SmolLM3ForCausalLM'],
  model_type: 'smollm3',
  vocab_size: bytes,
  hidden_size: width,
  intermediate_size: feedForwardWidth,
  num_hidden_layers: layers,
  num_attention_heads: 1,
  num_key_value_heads: 1,
  head_dim: headWidth,
  hidden_act: 'silu',
  rms_norm_eps: 1e-12,
  max_position_embeddings: positions,
  rope_theta: ropeTheta,
  no_rope_layers: Array.from({ length: layers }, (_, index) => Number(index < context)),
  tie_word_embeddings: false,
};

embedding();
Array.from({ length: layers }, (_, index) => layer(index));
head();
await mkdir(folder, { recursive: true });
await writeFile(`${folder}/model.safetensors`, safetensors());
await writeFile(`${folder}/config.json`, `${JSON.stringify(config, null, 2)}\n`);
await writeFile(`${folder}/tokenizer.json`, JSON.stringify(tokenizer()));
