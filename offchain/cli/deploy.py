"""`assay deploy`: the contracts onto a chain. `ape run deploy` (scripts/deploy.py) comes here, too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli import options
from offchain.cli.durations import format_duration
from offchain.cli.output import console, errors, print_facts, print_json, print_rows, tokens
from offchain.cli.session import known_keys, load_settings, open_client, require_terminal, unlock
from offchain.errors import Rejected

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress

    from offchain.chain.addresses import Addresses
    from offchain.chain.client import ChainClient
    from offchain.chain.preview import Preview
    from offchain.chain.terms import DeploymentTerms
    from offchain.chain.transactions import Signer
    from offchain.config import Settings

Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="Set aside the addresses of a chain that is gone, a devnet that was started anew."),
]
ParametersFile = Annotated[
    Path | None,
    typer.Option(
        "--parameters", help="File of parameters for this deployment, in place of the network's own.", dir_okay=False
    ),
]
Plan = Annotated[bool, typer.Option("--plan", help="Show what would be sent and what it costs; change nothing.")]


@dataclass(frozen=True, slots=True)
class Deployer:
    """Who deploys: the account, and how it comes to sign once that is needed."""

    address: ChecksumAddress
    signer: Callable[[], Signer]


@dataclass(frozen=True, slots=True)
class Choices:
    """The flags of a deployment."""

    parameters: Path | None = None
    plan: bool = False
    fresh: bool = False
    yes: bool = False
    as_json: bool = False


def deploy(
    key: options.Key = "dev0",
    home: options.Home = None,
    rpc: options.Rpc = None,
    chain_id: options.ChainId = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    parameters: ParametersFile = None,
    plan: Plan = False,
    fresh: Fresh = False,
    yes: options.Yes = False,
) -> None:
    """Deploy the contracts and write down their addresses. Interrupted, it goes on where it stopped.

    What is deployed, who holds the tokens and who may change the parameters is in the network's reviewed file, or in
    yours. Where the contracts are deployed already, their addresses are checked and shown. On public networks the plan
    is shown first and you are asked.
    """
    settings = load_settings(home=home, rpc=rpc, password_file=password_file)
    client = open_client(settings, chain_id)
    run(settings, client, lambda: _deployer(settings, key), Choices(parameters, plan, fresh, yes, as_json))


def _deployer(settings: Settings, key: str) -> Deployer:
    from offchain.chain.keys import require_key

    path = require_key(settings.keys, key)
    known = known_keys(settings)
    if key not in known:
        raise Rejected(f"{path}: not a keystore; restore it from a backup")
    return Deployer(known[key], lambda: unlock(settings, key))


def run(settings: Settings, client: ChainClient, who: Callable[[], Deployer], choices: Choices) -> Addresses | None:
    """Deploys as the flags say; the addresses, or None when only the plan was wanted.

    `who` is asked when something is to be planned or sent. Raises Rejected, Retryable.
    """
    from offchain.chain.deploy import deploy as deploy_contracts
    from offchain.chain.preview import preview
    from offchain.chain.sender import open_sender
    from offchain.chain.terms import check_terms, load_terms, read_terms

    # A file that is none is refused where there is nothing left to do, too.
    own = None if choices.parameters is None else read_terms(choices.parameters)
    path = settings.addresses(client.chain_id)
    there = None if choices.plan else _standing(client, path, fresh=choices.fresh)
    if there is not None:
        _show(there, path, "Deployed before", as_json=choices.as_json)
        return there
    terms = own or load_terms(client.chain_id)
    source = f"{client.network.name}.json" if choices.parameters is None else str(choices.parameters)
    check_terms(terms, client.network, source)
    deployer = who()
    if choices.plan or client.network.kind != "development":
        seen = preview(client, terms, deployer.address, settings.journals)
        if choices.plan or not choices.as_json:
            show_plan(client, seen, as_json=choices.as_json)
        if choices.plan:
            return None
        _require_coins(seen)
        _agree(choices)
    signer = deployer.signer()
    if path.exists():
        path.replace(path.with_suffix(".old.json"))
    with closing(open_sender(client, signer, settings.journals)) as sender, errors.status("deploying"):
        addresses = deploy_contracts(sender, path, terms=terms, source=source)
    _show(addresses, path, "Deployed", as_json=choices.as_json)
    return addresses


def _standing(client: ChainClient, path: Path, *, fresh: bool) -> Addresses | None:
    """What the file says is deployed, if it is; None when there is no file, or one to set aside."""
    from offchain.chain.addresses import check_addresses, read_addresses

    if not path.exists():
        return None
    try:
        addresses = read_addresses(path)
        check_addresses(client, addresses, str(path))
    except Rejected:
        if not fresh:
            raise
        return None
    return addresses


def _require_coins(seen: Preview) -> None:
    if seen.balance < seen.cost:
        raise Rejected(
            f"the deployment costs about {tokens(seen.cost)} coins but {seen.plan.deployer} has "
            f"{tokens(seen.balance)}; send it some"
        )


def _agree(choices: Choices) -> None:
    if not choices.yes:
        require_terminal("your consent", "give --yes")
        typer.confirm("Deploy this?", abort=True, err=True)


def _show(addresses: Addresses, path: Path, title: str, *, as_json: bool) -> None:
    facts = {name: addresses.of(name) for name in addresses.contracts}
    print_facts({"chain": str(addresses.chain_id), **facts, "file": str(path)}, title=title, as_json=as_json)


# The plan


def show_plan(client: ChainClient, seen: Preview, *, as_json: bool) -> None:
    """Prints what would be deployed, under which terms, and what it costs."""
    plan = seen.plan
    rows = [
        {
            "nonce": str(plan.first_nonce + index),
            "step": step.name,
            "address": step.address or "",
            "gas": seen.gas.get(step.name, "sent before"),
        }
        for index, step in enumerate(plan.steps)
    ]
    facts = {
        "chain": f"{client.chain_id} ({client.network.name})",
        "deployer": plan.deployer,
        **_terms(plan.terms, plan.words),
        "gas": sum(seen.gas.values()),
        "cost": f"{tokens(seen.cost)} coins at {seen.gas_price / 1e9:.4g} gwei",
        "the deployer has": f"{tokens(seen.balance)} coins",
    }
    parameters = parameter_rows(plan.terms)
    if as_json:
        print_json(
            {"facts": facts, "steps": rows, "parameters": {row["parameter"]: row["value"] for row in parameters}}
        )
        return
    print_facts(facts, title="Plan", as_json=False)
    console.print()
    print_rows(rows, title="Transactions", as_json=False)
    console.print()
    print_rows(parameters, title="Parameters", as_json=False)


def _terms(terms: DeploymentTerms, words: Any) -> dict[str, Any]:
    rules, faucet = terms.governance, terms.faucet
    facts = {
        "supply": f"{tokens(terms.supply)} tokens, to {words['holder']}",
        "owner of the parameters": words["owner"],
    }
    if terms.has_timelock:
        facts["owner of the parameters"] += f", a timelock of {format_duration(rules.delay_seconds)}"
        for role in ("proposers", "cancellers", "executors"):
            named = getattr(rules, role)
            facts[role] = ", ".join(
                word if word == "anyone" else account for word, account in zip(named, words[role], strict=True)
            )
    if faucet is not None:
        facts["faucet"] = (
            f"{tokens(faucet.drip)} tokens a {format_duration(faucet.period_seconds)} and account, "
            f"{tokens(faucet.limit)} to all; {tokens(faucet.funding)} to begin with"
        )
    return facts


def parameter_rows(terms: DeploymentTerms) -> list[dict[str, str]]:
    """Each protocol parameter as it is read: tokens, durations, percent."""
    from dataclasses import asdict

    return [{"parameter": name, "value": parameter_text(name, value)} for name, value in asdict(terms.protocol).items()]


def parameter_text(name: str, value: int) -> str:
    """A value of `ProtocolParameters` with its unit."""
    from offchain.chain.terms import key_of

    key = key_of(name)
    if key.endswith("_tokens"):
        return f"{tokens(value)} tokens"
    if key.endswith("_seconds"):
        return format_duration(value)
    if key.endswith("_ppm"):
        return f"{value / 10_000:g} %"
    return f"{value:,} bytes" if key.endswith("_bytes") else f"{value:,}"
