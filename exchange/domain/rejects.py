"""Why a command was refused: stable codes, each with its HTTP status and a sentence.

`RejectCode` are the codes of rare messages and of the sequencer; the kernel's own codes
(`matching.records.RejectCode`) are given the same treatment in `KERNEL_REJECTS`, so that every refusal reads
alike.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from matching.records import RejectCode as KernelCode


class RejectCode(Enum):
    """`value` is (HTTP status, one text: what was wrong, what was expected, what to do)."""

    BUSY = (
        503,
        "The exchange has as many commands waiting as it takes; nothing was done. Send it again shortly.",
    )
    NOT_ACKNOWLEDGING = (
        500,
        "The journal could not be written, so nothing is acknowledged any more; the outcome of commands "
        "under way is unknown. The operator has to restart the exchange.",
    )
    STOPPING = (
        503,
        "The exchange is shutting down and takes no more commands. Send it again after the restart.",
    )
    INVALID_COMMAND = (
        422,
        "The command record is malformed: an integer is out of range or a name is not text.",
    )
    INVALID_RULE = (422, "A rate lies outside 0 … 10,000 basis points or the closed days are not ascending.")
    INVALID_DEADLINE = (422, "The time to meet margin calls is 1 to 1,440 minutes; 0 calls nobody.")
    INVALID_SESSIONS = (
        422,
        "A day opens, calls, matches, trades in up to 4 stretches, closes and settles in this order, and "
        "margin is run, called for and auctioned while it trades.",
    )
    CALENDAR_FIXED = (
        409,
        "A day that was opened, or on which a listed contract trades last, stays as it is.",
    )
    INVALID_REGIME = (
        422,
        "A guided band has a floor below its ceiling, a cost floor only a floor, a voucher regime one price, "
        "the market none; each with a reason.",
    )
    PRODUCT_CHANGED = (
        409,
        "A product that exists may not be dropped or changed; only new ones may be added.",
    )
    MEMBER_EXISTS = (409, "A member of this name exists. Choose another name.")
    UNKNOWN_MEMBER = (404, "No member has this name. The operator lists members.")
    WRONG_MEMBER_STATE = (
        409,
        "The member's state doesn't allow this: an applicant is approved before it can be suspended.",
    )
    MEMBER_NOT_APPROVED = (
        403,
        "The member is not approved, or suspended; it may read and cancel. Ask the operator.",
    )
    INVALID_ROLES = (422, "An operator needs at least one role, each once; other members have none.")
    CLAIMS_OPEN = (
        409,
        "Others paid for the member's default and aren't repaid yet. Pay in what it owes, then restore it.",
    )
    SECOND_OPERATOR_NEEDED = (
        403,
        "A suspension ends only if two operators agree: propose it, and another operator decides.",
    )
    NOT_AN_OPERATOR = (403, "Only an operator may do this.")
    UNKNOWN_PROPOSAL = (404, "There is no such proposal. GET /v1/operator/proposals lists them.")
    PROPOSAL_OVER = (409, "The proposal has been decided or has expired. Propose it again.")
    PROPOSAL_LIMIT = (409, "As many proposals are open as may be. Decide some first.")
    SAME_OPERATOR = (403, "Whoever proposed this may not decide it. Ask another operator.")
    NOT_A_BROKER = (403, "Only a broker has clients.")
    ACCOUNT_LIMIT = (409, "The exchange has as many accounts as it is configured for.")
    KEY_EXISTS = (409, "A key of this id exists. Make another one.")
    UNKNOWN_KEY = (404, "No key has this id.")
    DEPOSIT_LIMIT = (
        409,
        "All deposits ever made would be more than 10^18 fen, the most that the exchange counts.",
    )
    INVALID_PASSWORD_HASH = (422, "A password is kept as an Argon2id hash in its text form, and only so.")
    INVALID_AMOUNT = (422, "The amount must be between 1 and 10^15 fen.")
    INSUFFICIENT_CASH = (
        409,
        "The account has less free cash than that: margin, unpaid deliveries and today's losses hold the "
        "rest. Withdraw less, or cancel orders first.",
    )
    NOT_A_PROVIDER = (403, "Only a provider may do this.")
    UNKNOWN_PRODUCT = (404, "This grade is not delivered at this hub. GET /v1/contracts shows what is.")
    INVALID_CAPACITY = (
        422,
        "Capacity needs at least one whole lot of cards, a first day after today that is not after the "
        "last one, a period "
        "of at most 366 days and a price of at least 0.",
    )
    UNKNOWN_CAPACITY = (404, "The account has no posted capacity of this id.")
    UNKNOWN_HUB = (404, "Nothing is delivered at this hub. GET /v1/hubs lists the hubs.")
    SITE_EXISTS = (409, "The account has a site of this name. Choose another name.")
    INVALID_SITE = (
        422,
        "A site needs a name and, for each grade that is delivered at its hub, at least one card installed.",
    )
    UNKNOWN_SITE = (404, "The account has no site of this id at this hub. Register the site first.")
    INVALID_AGENT_KEY = (
        422,
        "An agent's key is an Ed25519 public key of 32 bytes that no other site uses. Make a new one.",
    )
    AGENT_MESSAGE_REPEATED = (
        409,
        "A message of this number was taken from this agent already; nothing was done again.",
    )
    AGENT_MESSAGE_MISSING = (
        409,
        "An agent's messages are taken in order, each number one above the last. Send the missing one first.",
    )
    FORGED_SIGNATURE = (403, "The signature is not that of the site's agent over these figures.")
    ATTESTATION_STALE = (
        422,
        "The benchmark was measured too long ago or lies in the future. Measure again.",
    )
    BELOW_GRADE = (422, "The measured cards miss the grade's minimum, so they can't be certified for it.")
    NOT_ATTESTED = (409, "The capacity has no benchmark of its agent yet. Attest it first.")
    OVER_CERTIFIED = (
        409,
        "More cards would be certified than were posted, measured and installed on one of the days.",
    )
    INVALID_SALE = (
        422,
        "A standing sale is for day, week or month contracts, each once, at a price of at least one tick.",
    )
    UNKNOWN_CERTIFICATE = (404, "The account has no valid certificate of this id.")
    CERTIFICATE_IN_USE = (
        409,
        "These cards back shorts, are delivered or pledged on one of the days. A card is used once.",
    )
    INVALID_COMMISSION = (
        422,
        "A commission is 0 to 500 basis points and 0 to 100,000,000 fen a lot.",
    )
    INVALID_GIVE_UP = (
        422,
        "A give-up is of lots that the account traded today at this price, goes to another account, and its "
        "fee is not negative.",
    )
    GIVE_UP_NOT_HELD = (
        409,
        "The giver no longer holds these lots, or gave up more of the trade already, or is restricted.",
    )
    GIVE_UP_LIMIT = (409, "The account has offered as many give-ups today as one may.")
    TAKER_POSITION_LIMIT = (409, "The lots would take the taker's position past its limit. Fewer may pass.")
    UNKNOWN_GIVE_UP = (404, "The account has no such give-up. GET /v1/give-ups lists them.")
    GIVE_UP_OVER = (409, "The give-up was answered, or its trading day is over.")
    GIVE_UP_MARGIN = (
        409,
        "The taker's free equity doesn't cover margin, mark and fee of the lots, or the giver's "
        "doesn't cover its other positions and its open orders without them.",
    )
    SIGNATURE_REQUIRED = (
        403,
        "What a certificate delivers is metered by the agent of its site. Have the agent sign the batch.",
    )
    NOMINATION_TOO_LATE = (409, "The gate is closed: nominations end before the delivery day begins.")
    NOMINATION_TOO_LARGE = (409, "In one of these hours more cards would be nominated than are reserved.")
    INVALID_NOMINATION = (
        422,
        "A nomination needs a workload, its use, at least one card, and hours within the delivery day.",
    )
    UNKNOWN_NOMINATION = (404, "The account has no nomination of this id.")
    USE_NOT_ALLOWED = (409, "The hub doesn't take workloads of this use. Use another hub for it.")
    RESALE_TOO_LATE = (409, "The gate is closed: reservations aren't resold any more.")
    INVALID_OFFER = (422, "An offer needs at least a lot and a price up to twice the final settlement price.")
    OFFER_TOO_LARGE = (
        409,
        "That is more than is held and neither nominated nor offered already, or than the offer has left.",
    )
    UNKNOWN_OFFER = (404, "No open offer of this id is the account's to take or to withdraw.")
    OWN_RESERVATION = (409, "The account has this reservation, or delivers it. Others may take it.")
    DISPUTE_TOO_EARLY = (409, "The delivery day isn't finished; what was metered isn't final.")
    DISPUTE_OVER = (409, "The deadline has passed or the dispute was decided; what was settled stands.")
    DISPUTE_EXISTS = (409, "This reservation has been disputed; a reservation is disputed once.")
    INVALID_DISPUTE = (
        422,
        "A dispute and its decision need a reason and card-hours between 0 and those reserved.",
    )
    UNKNOWN_DISPUTE = (404, "No dispute has this id.")
    INVALID_PROGRAMME = (
        422,
        "A programme has a name, a budget, a share of 1 to 10,000 basis points, a last day to come, and hubs "
        "and grades that exist.",
    )
    UNKNOWN_PROGRAMME = (404, "The account has no open voucher programme of this id.")
    VOUCHER_BUDGET = (409, "The programme's budget doesn't reach so far.")
    COLLATERAL_NEEDED = (409, "The account's margin needs what is pledged. Deposit cash first.")
    INVALID_SYMBOL = (
        422,
        "A symbol is GRADE.HUB.PERIOD with a period such as 261205H14, 261205, 26W49, 2612 or 27Q1, and "
        "-PEAK or -VALLEY after it for a part of its hours.",
    )
    PROFILE_UNKNOWN = (
        409,
        "The hub has no such profile for all of this period. An operator sets its hours with "
        "POST /v1/operator/load-profiles.",
    )
    PROFILE_FIXED = (
        409,
        "A listed contract delivers other hours of such a month. Choose a month after those that are listed.",
    )
    CONTRACT_EXISTS = (409, "A contract of this symbol is or was listed.")
    CONTRACT_OVER = (409, "The last trading day of this contract is over.")
    CONTRACT_LIMIT = (409, "The exchange has as many contracts as it is configured for.")
    UNKNOWN_CONTRACT = (404, "No contract of this symbol trades now. GET /v1/contracts lists those that do.")
    INVALID_PRICE = (422, "The reference price must be between 1 and 2^19 ticks.")
    WRONG_PHASE = (409, "The market is in another phase. GET /v1/status shows which.")
    NOT_A_TRADING_DAY = (409, "The exchange does not trade on this day.")
    DAY_NOT_NEXT = (
        409,
        "This is not the day whose turn it is; days are opened, settled and delivered in order, once.",
    )
    DELIVERY_NOT_OVER = (409, "The delivery day is not over.")
    UNKNOWN_RESERVATION = (404, "No reservation has this id. GET /v1/reservations lists your own.")
    NOT_YOUR_RESERVATION = (403, "Only the reservation's provider may send its meter readings.")
    READING_OUTSIDE_PERIOD = (422, "The hour must be one that the reservation delivers.")
    READING_TOO_EARLY = (422, "The hour is not over. Send the reading after its end.")
    READING_TOO_LATE = (
        409,
        "The delivery day is closed and invoiced; a missing reading counts as nothing delivered.",
    )
    READING_OUT_OF_RANGE = (422, "Cards delivered must be between 0 and the reservation's cards.")
    READING_DUPLICATE = (
        409,
        "This hour of this reservation has its reading. Leave it out and send the rest again.",
    )

    NOT_RESTRICTED = (
        409,
        "The account is not restricted for an unmet margin call, or holds nothing there.",
    )
    NOT_IN_DEFAULT = (
        409,
        "The account is not in default: that needs an unmet margin call, no positions or undelivered "
        "reservations, and cash below 0.",
    )
    INVALID_BID = (
        422,
        "A bid needs 1 lot up to what the account holds, and a price from 1 to 2^20 ticks.",
    )

    @property
    def status(self) -> int:
        """HTTP status of an answer that carries this code."""
        return int(self.value[0])

    @property
    def sentence(self) -> str:
        """What was wrong, what was expected, what to do."""
        return str(self.value[1])


_UNPROCESSABLE: Final = 422
_CONFLICT: Final = 409

KERNEL_REJECTS: Final[dict[KernelCode, tuple[int, str]]] = {
    KernelCode.UNKNOWN_COMMAND: (_UNPROCESSABLE, "The command kind is unknown."),
    KernelCode.UNKNOWN_ACCOUNT: (404, "The account does not exist."),
    KernelCode.UNKNOWN_INSTRUMENT: (
        404,
        "No contract of this symbol trades now. GET /v1/contracts lists them.",
    ),
    KernelCode.UNKNOWN_ORDER: (
        404,
        "The account has no open order of this id; it may have traded or been cancelled.",
    ),
    KernelCode.INVALID_SIDE: (_UNPROCESSABLE, "The side must be buy or sell."),
    KernelCode.INVALID_TYPE: (_UNPROCESSABLE, "The order type is unknown."),
    KernelCode.INVALID_TIME_IN_FORCE: (_UNPROCESSABLE, "The time in force is unknown."),
    KernelCode.INVALID_STP_MODE: (_UNPROCESSABLE, "The self-trade prevention mode is unknown."),
    KernelCode.INVALID_FLAGS: (_UNPROCESSABLE, "The order flags exclude one another or are unknown."),
    KernelCode.INVALID_COMBINATION: (
        _UNPROCESSABLE,
        "This order type does not go with this time in force or these attributes.",
    ),
    KernelCode.ACCOUNT_DISABLED: (
        403,
        "The account may not trade now; it may still cancel. Ask the operator.",
    ),
    KernelCode.MARKET_CLOSED: (
        _CONFLICT,
        "The contract is closed for orders now. Orders are taken from 08:55 to 08:59 and from 09:00 to "
        "15:00 on trading "
        "days; GET /v1/status shows the phase.",
    ),
    KernelCode.HALTED: (_CONFLICT, "Trading in the contract is halted. Open orders can be cancelled."),
    KernelCode.NOT_IN_THIS_PHASE: (
        _CONFLICT,
        "An order of this type or time in force is not taken in this phase of the day; in the call "
        "auction send a limit "
        "order.",
    ),
    KernelCode.ORDER_RATE: (429, "The account has sent as many orders this second as it may. Wait a second."),
    KernelCode.INVALID_QUANTITY: (_UNPROCESSABLE, "The quantity must be a whole number of lots, at least 1."),
    KernelCode.ORDER_TOO_LARGE: (_UNPROCESSABLE, "The order is larger than one order may be. Split it."),
    KernelCode.INVALID_DISPLAY: (_UNPROCESSABLE, "The displayed quantity must not exceed the order's."),
    KernelCode.INVALID_MIN_QUANTITY: (_UNPROCESSABLE, "The minimum quantity must not exceed the order's."),
    KernelCode.PRICE_NOT_ALLOWED: (_UNPROCESSABLE, "This order type takes no price. Leave it out."),
    KernelCode.PRICE_OUTSIDE_LIMITS: (
        _UNPROCESSABLE,
        "The price is outside today's limits of the contract. GET /v1/contracts/{symbol} shows them.",
    ),
    KernelCode.TRIGGER_OUTSIDE_LIMITS: (_UNPROCESSABLE, "The trigger price is outside today's limits."),
    KernelCode.INVALID_OFFSET: (_UNPROCESSABLE, "The trailing offset must be at least one tick."),
    KernelCode.INVALID_EXPIRY: (_UNPROCESSABLE, "The expiry day must lie ahead."),
    KernelCode.POST_ONLY_WOULD_TRADE: (
        _CONFLICT,
        "The post-only order would trade at once. Use another price.",
    ),
    KernelCode.NOTHING_TO_REDUCE: (_CONFLICT, "The account has no position that this order would reduce."),
    KernelCode.ORDER_NOTIONAL: (
        _UNPROCESSABLE,
        "The order's value is above the account's limit for one order.",
    ),
    KernelCode.OPEN_ORDER_LIMIT: (_CONFLICT, "The account has as many open orders as it may. Cancel some."),
    KernelCode.POSITION_LIMIT: (
        _CONFLICT,
        "The order could take the position past its limit. Send a smaller one.",
    ),
    KernelCode.MARGIN: (
        _CONFLICT,
        "The account's free equity does not cover the order's margin. Send a smaller order, cancel "
        "others, or deposit.",
    ),
    KernelCode.ENGINE_FULL: (503, "The exchange has as many open orders as it takes. Try again later."),
    KernelCode.TOO_MANY_HOLDINGS: (503, "The exchange holds as many positions as it takes. Try again later."),
    KernelCode.TOO_MANY_REFRESHES: (
        503,
        "The exchange has as many iceberg slices as it takes. Show more at a time.",
    ),
    KernelCode.INVALID_INSTRUMENT: (_UNPROCESSABLE, "The contract's terms are out of range."),
    KernelCode.TOO_MANY_LEVELS: (
        _UNPROCESSABLE,
        "The contract's price limits span more prices than the ladder has.",
    ),
    KernelCode.INSTRUMENT_EXISTS: (_CONFLICT, "The contract is listed already."),
    KernelCode.INVALID_ACCOUNT: (_UNPROCESSABLE, "The account number or its terms are out of range."),
    KernelCode.INVALID_PHASE: (_UNPROCESSABLE, "The phase is unknown."),
}
"""(HTTP status, sentence) of each code that the kernel refuses with."""
