/**
 * ONNX Runtime's official builds since 1.30 gather events and send them to Microsoft, unless this is set before the library
 * loads (microsoft/onnxruntime, pull request 27379). Two Heads sends nothing anywhere.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
