export function WalletButton() {
  return null;
}

export function OrderActions(_: { oid: number }) {
  return null;
}

export function AccountActions(_: { address: string }) {
  return null;
}

export function DisputeActions(_: { id: number }) {
  return null;
}

export function ModelVerifier(_: { oid: number; model: number }) {
  return null;
}
