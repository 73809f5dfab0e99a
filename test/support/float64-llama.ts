import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A Llama model in float64, straight from the definition and from the files on disk. It shares no code with the product:
 * that is its whole point. Slow, and fine for a few hundred tokens.
 */
export function float64Perplexity(
  folder: string,
  tokens: readonly number[],
  allows: (query: number, key: number, head: number) => boolean,
  positionOf = (row: number): number => row,
): number {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, number>;
  const weights = readWeights(join(folder, 'model.safetensors'));
  const { hidden_size: d, num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: m } = config;
  const weight = (name: string): Float64Array => {
    const found = weights.get(name);
    if (!found) {
      throw new Error(`no ${name}`);
    }
    return found;
  };
  const linear = (x: Float64Array, w: Float64Array): Float64Array => {
    const out = new Float64Array(w.length / x.length);
    for (let o = 0; o < out.length; o += 1) {
      for (let i = 0; i < x.length; i += 1) out[o] += w[o * x.length + i] * x[i];
    }
    return out;
  };
  const norm = (x: Float64Array, w: Float64Array): Float64Array => {
    const rms = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + config.rms_norm_eps);
    return x.map((v, i) => (v / rms) * w[i]);
  };
  const rotate = (x: Float64Array, position: number): Float64Array =>
    x.map((v, i) => {
      const c = i % m;
      const angle = position * config.rope_theta ** ((-2 * (c % (m / 2))) / m);
      const partner = c < m / 2 ? -x[i + m / 2] : x[i - m / 2];
      return v * Math.cos(angle) + partner * Math.sin(angle);
    });
  const embedding = weight('model.embed_tokens.weight');
  let stream = tokens.map((token) => embedding.slice(token * d, (token + 1) * d));
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const at = (part: string): Float64Array => weight(`model.layers.${layer}.${part}.weight`);
    const normed = stream.map((x) => norm(x, at('input_layernorm')));
    const q = normed.map((x, i) => rotate(linear(x, at('self_attn.q_proj')), positionOf(i)));
    const k = normed.map((x, i) => rotate(linear(x, at('self_attn.k_proj')), positionOf(i)));
    const v = normed.map((x) => linear(x, at('self_attn.v_proj')));
    stream = stream.map((x, i) => {
      const attended = new Float64Array(heads * m);
      for (let h = 0; h < heads; h += 1) {
        const g = Math.floor((h * kvHeads) / heads);
        const scores = k.map((key, j) => {
          if (!allows(i, j, h)) return -Infinity;
          let s = 0;
          for (let c = 0; c < m; c += 1) s += q[i][h * m + c] * key[g * m + c];
          return s / Math.sqrt(m);
        });
        const high = Math.max(...scores);
        const total = scores.reduce((sum, s) => sum + Math.exp(s - high), 0);
        scores.forEach((s, j) => {
          for (let c = 0; c < m; c += 1) attended[h * m + c] += (Math.exp(s - high) / total) * v[j][g * m + c];
        });
      }
      const residual = linear(attended, at('self_attn.o_proj')).map((y, c) => y + x[c]);
      const n = norm(residual, at('post_attention_layernorm'));
      const up = linear(n, at('mlp.up_proj'));
      const gated = linear(n, at('mlp.gate_proj')).map((g, c) => (g / (1 + Math.exp(-g))) * up[c]);
      return linear(gated, at('mlp.down_proj')).map((y, c) => y + residual[c]);
    });
  }
  let loss = 0;
  for (let i = 0; i + 1 < tokens.length; i += 1) {
    const logits = linear(norm(stream[i], weight('model.norm.weight')), embedding);
    const high = logits.reduce((a, b) => Math.max(a, b));
    loss += high + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - high), 0)) - logits[tokens[i + 1]];
  }
  return Math.exp(loss / (tokens.length - 1));
}

function readWeights(path: string): Map<string, Float64Array> {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, { data_offsets: [number, number] }>;
  // By a table: there are millions of them, and 65,536 values.
  const halves = Float64Array.from({ length: 2 ** 16 }, (_, x) => {
    const [sign, e, f] = [x >> 15 ? -1 : 1, (x >> 10) & 31, x & 1023];
    return e === 0 ? sign * f * 2 ** -24 : sign * (1 + f / 1024) * 2 ** (e - 15);
  });
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            data_offsets: [from, to],
          },
        ]) => [name, Float64Array.from({ length: (to - from) / 2 }, (_, i) => halves[bytes.readUInt16LE(8 + length + from + 2 * i)])],
      ),
  );
}
