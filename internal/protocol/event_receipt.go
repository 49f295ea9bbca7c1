package protocol

// ReceiptSigned is a transcoder's: an attempt is complete, its receipt stored. Wei is what the orchestrator owes for it.
const ReceiptSigned EventKind = "receipt_signed"
