import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Tensor } from './gguf-file';
import { installLlama, llamaPackage } from './install';

const float32 = 0;

/** What is used here of koffi, whose types come with a package that is installed at first use. */
interface Koffi {
  load(path: string): { func(declaration: string): (...given: readonly unknown[]) => unknown };
}

/** llama.cpp's functions that decode, by types as `ggml_type` numbers them. */
const decoders: Readonly<Record<number, string>> = {
  ...{ 1: 'ggml_fp16_to_fp32_row', 30: 'ggml_bf16_to_fp32_row' },
  ...Object.fromEntries(
    Object.entries({
      ...{ 2: 'q4_0', 3: 'q4_1', 6: 'q5_0', 7: 'q5_1', 8: 'q8_0' },
      ...{ 10: 'q2_K', 11: 'q3_K', 12: 'q4_K', 13: 'q5_K', 14: 'q6_K', 20: 'iq4_nl', 23: 'iq4_xs', 39: 'mxfp4' },
    }).map(([type, name]) => [type, `dequantize_row_${name}`]),
  ),
};

/** llama.cpp's own functions on blocks: the quantiser that makes GGUF files, and what they mean. */
export class Ggml {
  private constructor(private readonly library: ReturnType<Koffi['load']>) {}

  /** Installs llama.cpp with koffi once, in `folder`, and loads its library. @throws Error where npm cannot get them */
  static async open(folder: string): Promise<Ggml> {
    await installLlama(folder);
    const koffi = createRequire(join(folder, 'package.json'))('koffi') as Koffi;
    return new Ggml(koffi.load(join(llamaPackage(folder), 'bins', 'linux-x64', 'libggml-base.so')));
  }

  /** Types that `dequantise` takes. */
  static readonly types: readonly number[] = Object.keys(decoders).map(Number);

  /** The values of blocks. @param count how many there are */
  dequantise(type: number, blocks: Uint8Array, count: number): Float32Array {
    const values = new Float32Array(count);
    const dequantise = this.library.func(`void ${decoders[type]}(const void* x, float* y, int64_t k)`);
    dequantise(blocks, values, count);
    return values;
  }

  /** Quantises rows. @param width values of a row, whole blocks */
  quantise(type: number, values: Float32Array, width: number): Uint8Array {
    const quantise = this.library.func(
      'size_t ggml_quantize_chunk(int type, const float* src, void* dst, int64_t start, int64_t nrows, int64_t n_per_row, const float* imatrix)',
    );
    const blocks = new Uint8Array(4 * values.length);
    return blocks.slice(0, Number(quantise(type, values, blocks, 0, values.length / width, width, null)));
  }
}

/** A tensor as llama.cpp quantises it: matrices to the type, all else and routers in float32, as in published files. */
export function quantised(ggml: Ggml, type: number): (tensor: Tensor) => Tensor {
  return (tensor) =>
    type === float32 || tensor.shape.length < 2 || !/(?<!ffn_gate_inp)\.weight$/.test(tensor.name)
      ? tensor
      : { ...tensor, stored: { type, bytes: ggml.quantise(type, tensor.data, tensor.shape[0]) } };
}
