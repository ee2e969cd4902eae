"""How many members of a committee must agree; twin of `contracts/libraries/Quorum.sol`."""


def threshold(members: int) -> int:
    """k = ceil((n + f + 1) / 2) of n `members`: the least number with which any two quorums share an honest member.

    f = (n − 1) // 3 may lie; k is 2f + 1 at n = 3f + 1, and 1 for an empty committee.
    """
    if members == 0:
        return 1
    faulty = (members - 1) // 3
    return (members + faulty + 2) // 2
