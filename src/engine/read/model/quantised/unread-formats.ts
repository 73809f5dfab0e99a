import { said } from '../../../../core/l10n';
import { shown } from '../../../../core/text/printable';
import type { ConfigJson } from '../keys';

/** Formats of transformers that are not read, by `quant_method`, with the names that people know. */
const names: Readonly<Record<string, string>> = {
  hqq: 'HQQ',
  aqlm: 'AQLM',
  eetq: 'EETQ int8',
  torchao: 'torchao',
  quanto: 'Quanto',
  vptq: 'VPTQ',
  higgs: 'HIGGS',
  spqr: 'SpQR',
  bitnet: 'BitNet',
  fp_quant: 'FP-Quant',
  quark: 'AMD Quark',
  'auto-round': 'AutoRound',
};

const readMethods: readonly string[] = ['fp8', 'fbgemm_fp8', 'gptq', 'awq', 'mxfp4', 'mlx'];
const readCompressed: readonly unknown[] = ['float-quantized', 'naive-quantized', undefined, null];

/** The name of the format that a configuration states, if that is none that is read; undefined if it is. */
export function unreadFormat(config: ConfigJson): string | undefined {
  const { quant_method: method } = config;
  if (method === 'bitsandbytes' || config.load_in_4bit === true || config.load_in_8bit === true) {
    const codes = config.load_in_8bit === true ? 'int8' : text(config.bnb_4bit_quant_type, 'fp4').toUpperCase();
    return `bitsandbytes ${codes}`;
  }
  if (method === undefined || method === null) {
    const mode = text(config.mode, 'affine');
    const isMlx = config.bits !== undefined && config.group_size !== undefined;
    return !isMlx ? said`a format without a quant_method` : mode === 'affine' ? undefined : `MLX ${mode}`;
  }
  if (method === 'compressed-tensors') {
    return readCompressed.includes(config.format)
      ? undefined
      : typeof config.format === 'string'
        ? `compressed-tensors ${shown(config.format)}`
        : said`compressed-tensors of an unknown format`;
  }
  if (method === 'modelopt') {
    return config.quant_algo === 'FP8'
      ? undefined
      : typeof config.quant_algo === 'string'
        ? `ModelOpt ${shown(config.quant_algo)}`
        : said`ModelOpt of an unknown kind`;
  }
  if (typeof method === 'string') {
    return readMethods.includes(method) ? undefined : Object.hasOwn(names, method) ? names[method] : shown(method);
  }
  return said`a format without a name`;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? shown(value) : otherwise;
}
