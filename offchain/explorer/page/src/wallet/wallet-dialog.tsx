// Choosing a wallet; and, once one is connected, who one is here and what one can do.
import type { Address } from "viem";
import { TestTokens } from "../flows/test-tokens";
import { Facts } from "../parts/layout";
import { navigate } from "../route";
import { Dialog, Problem } from "./dialog";
import type { FoundWallet } from "./eip1193";
import { Failure } from "./failures";
import { useConnection, useRead, useReader } from "./hooks";
import { networkOf } from "./networks";
import { read, readBalance } from "./node";
import { connection, type Deployment } from "./session";
import { coins, tokens } from "./units";

interface WalletDialogProps {
  deployment: Deployment;
  onClose: () => void;
}

export function WalletDialog({ deployment, onClose }: WalletDialogProps) {
  const { account } = useConnection();
  if (account === null) return <Choose onClose={onClose} />;
  return <Connected deployment={deployment} account={account} onClose={onClose} />;
}

function Choose({ onClose }: { onClose: () => void }) {
  const { wallets, status, problem, wallet: chosen } = useConnection();
  return (
    <Dialog title="Connect a wallet" onClose={onClose}>
      {wallets.length === 0 ? (
        <p>
          No wallet was found in this browser. Install one that follows EIP-6963 or EIP-1193, such as MetaMask or Rabby,
          and reload this page.
        </p>
      ) : (
        <ul class="wallets">
          {wallets.map(wallet => (
            <li key={wallet.id}>
              <button
                class="button"
                type="button"
                disabled={status === "connecting"}
                onClick={() => void connection.connect(wallet)}
              >
                <Icon wallet={wallet} />
                {wallet.name}
                {status === "connecting" && chosen?.id === wallet.id ? " (answer in the wallet)" : ""}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Problem text={problem} />
      <p class="quiet hint">The page sees your address. It can move nothing without your signature.</p>
    </Dialog>
  );
}

function Icon({ wallet }: { wallet: FoundWallet }) {
  if (wallet.icon === null) return <span class="wallet-icon" aria-hidden="true" />;
  return <img class="wallet-icon" src={wallet.icon} alt="" width="24" height="24" />;
}

interface ConnectedProps extends WalletDialogProps {
  account: Address;
}

function Connected({ deployment, account, onClose }: ConnectedProps) {
  const { wallet, chainId } = useConnection();
  const balances = useBalances(deployment, account);
  const { target, about } = deployment;
  const go = (href: string) => () => {
    onClose();
    navigate(href);
  };
  return (
    <Dialog title={wallet?.name ?? "Wallet"} onClose={onClose}>
      <Facts
        facts={[
          ["Account", <span class="mono breakable">{account}</span>],
          [
            "Network",
            chainId === target.chainId ? networkOf(target).name : `chain ${chainId ?? "?"} (not the right one)`,
          ],
          ["Tokens", balances ? tokens(balances.tokens) : "…"],
          ["For gas", balances ? coins(balances.coins, networkOf(target).coin) : "…"],
        ]}
      />
      <TestTokens deployment={deployment} />
      <ul class="wallet-places">
        <Place name="My account" onClick={go(`/accounts/${account}`)} />
        {about.desk ? <Place name="Order a model" onClick={go("/put")} /> : null}
        <Place name="Stake and exit" onClick={go("/stake")} />
        {about.desk ? <Place name="Inbox" onClick={go("/inbox")} /> : null}
      </ul>
      <footer class="dialog-foot">
        <button class="button" type="button" onClick={() => connection.disconnect()}>
          Disconnect
        </button>
      </footer>
    </Dialog>
  );
}

function Place({ name, onClick }: { name: string; onClick: () => void }) {
  return (
    <li>
      <button class="button" type="button" onClick={onClick}>
        {name}
      </button>
    </li>
  );
}

export interface Balances {
  readonly tokens: bigint;
  readonly coins: bigint;
}

/** What the account has, read through its wallet; again whenever one of its transactions gets on. */
export function useBalances(deployment: Deployment, account: Address | null): Balances | null {
  const reader = useReader(deployment);
  return useRead(account && reader ? `${account} ${reader.key}` : null, async () => {
    if (!account || !reader) throw new Failure("Connect a wallet first.");
    const abi = deployment.book.abiOf("UtilityToken");
    const [held, forGas] = await Promise.all([
      read<bigint>(reader.provider, deployment.book.addressOf("UtilityToken"), abi, "balanceOf", [account]),
      readBalance(reader.provider, account),
    ]);
    return { tokens: held, coins: forGas };
  });
}
