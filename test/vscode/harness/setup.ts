import { vi } from 'vitest';
import { TEST_LIMIT_MS } from './limits';

vi.setConfig({ testTimeout: TEST_LIMIT_MS, hookTimeout: TEST_LIMIT_MS });
