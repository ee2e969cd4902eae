"""What a wallet cannot compute by itself, as calls to be signed; see docs/explorer.md."""

from offchain.explorer.desk.desk import Desk
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.routes import desk_router

__all__ = ["Desk", "DeskPlace", "desk_router"]
