"""Two machines, one EVM: what py-evm answers, revm answers."""

import pytest

from tests.simulation.evm import Contract, Evm, Reverted, account
from tests.simulation.network import fresh_network
from tests.simulation.revm import FastEvm

HOLDER, OTHER, STRANGER = (account(index) for index in range(3))


def deployed(machine: type[Evm]) -> tuple[Contract, bytes]:
    """A token of which HOLDER has 100, in a state that can be gone back to."""
    evm = machine.empty(1_700_000_000)
    token = evm.deploy(HOLDER, "UtilityToken", ("address", "uint256"), HOLDER, 100)
    token.send(HOLDER, "transfer", OTHER, 7)
    return token, evm.persist()


def history(machine: type[Evm]) -> list[object]:
    """What a token says to some calls: results, refusals with their arguments, and the time that it sees."""
    token, root = deployed(machine)
    said: list[object] = []

    def attempt(who: str, function: str, *values: object) -> None:
        try:
            said.append(token.send(who, function, *values))  # type: ignore[arg-type]
        except Reverted as error:
            said.append(error.args)

    attempt(OTHER, "transfer", STRANGER, 8)
    attempt(HOLDER, "transferFrom", OTHER, STRANGER, 1)
    attempt(OTHER, "burn", 3)
    attempt(STRANGER, "permit", OTHER, HOLDER, 1, token.evm.now, 27, bytes(32), bytes(32))
    token.evm.now += 1
    attempt(STRANGER, "permit", OTHER, HOLDER, 1, token.evm.now - 1, 27, bytes(32), bytes(32))
    said += [token.read("balanceOf", who) for who in (HOLDER, OTHER, STRANGER)] + [token.read("totalSupply")]
    again = token.within(token.evm.at(root))
    said += [again.read("balanceOf", OTHER), again.read("totalSupply"), token.read("totalSupply")]
    return said


def test_both_machines_say_the_same() -> None:
    said = history(FastEvm)
    assert said == history(Evm)
    assert [args[0] for args in said[:2]] == ["ERC20InsufficientBalance", "ERC20InsufficientAllowance"]  # type: ignore[index]
    assert said[-7:] == [93, 4, 0, 97, 7, 100, 97]


def test_a_read_changes_nothing_and_states_do_not_touch() -> None:
    one, two = fresh_network(), fresh_network()
    before = one.token.read("balanceOf", account(0))
    assert one.evm.call(account(0), one.token.raw, one.token.calldata("transfer", account(1), 5))
    assert one.token.read("balanceOf", account(0)) == before
    one.token.send(account(0), "transfer", account(1), 5)
    assert one.token.read("balanceOf", account(0)) == before - 5
    assert two.token.read("balanceOf", account(0)) == before


def test_a_failed_creation_says_why() -> None:
    nobody = "0x" + "00" * 20
    with pytest.raises(Reverted) as refused:
        FastEvm.empty(1).deploy(HOLDER, "UtilityToken", ("address", "uint256"), nobody, 1)
    assert refused.value.args == ("ERC20InvalidReceiver", nobody)
