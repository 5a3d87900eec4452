//! Every stale replay is caught: whatever is presented whenever, and whoever shares a family.

use super::Tape;
use super::honest::Client;
use super::machine::{AccessId, Machine, Outcome, Pure, Seen, TokenId};
use super::world::{Checked, GRACE, POLICIES, World, claim};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use sessiond::domain::session::RefreshPolicy::{self, PromoteOnUse};

/// Any tokens, in any order, at any time, under both machines.
pub(super) fn anything_goes<M: Machine>(mut world: World<M>, choices: Vec<u16>) -> Checked<()> {
    let mut tape = Tape::new(choices);
    while !tape.is_over() {
        world.pass_time(&mut tape);
        let policy = POLICIES[tape.next(POLICIES.len())];
        // Mostly recent tokens, because old ones are all alike.
        let pick = |tape: &mut Tape, count: usize| {
            let reach = if tape.once_in(4) { count } else { count.min(4) };
            count - 1 - tape.next(reach)
        };
        if tape.once_in(2) {
            let token = pick(&mut tape, world.token_count());
            world.refresh(policy, token)?;
        } else {
            let access = pick(&mut tape, world.access_count());
            let check_database = tape.once_in(2);
            world.verify(policy, access, check_database)?;
        }
    }
    Ok(())
}

/// One of two parties that hold tokens of one family.
struct Party {
    policy: RefreshPolicy,
    refresh: TokenId,
    access: AccessId,
}

impl Party {
    /// Refreshes and uses the new access token. `false`: refused.
    fn goes_on<M: Machine>(&mut self, world: &mut World<M>) -> Checked<bool> {
        if world.refresh(self.policy, self.refresh)? != Outcome::Granted {
            return Ok(false);
        }
        self.refresh = world.token_count() - 1;
        self.access = world.access_count() - 1;
        Ok(world.verify(self.policy, self.access, true)? != Seen::Unauthorised)
    }
}

/// After any honest past a thief gets a token of the family; then both continue, in any order.
pub(super) fn two_cannot_share<M: Machine>(world: World<M>, choices: Vec<u16>) -> Checked<()> {
    let mut tape = Tape::new(choices);
    let rounds = tape.next(4);
    let policies = [POLICIES[tape.next(POLICIES.len())], POLICIES[tape.next(POLICIES.len())]];
    let mut client = Client::new(world, &mut tape);
    client.live(rounds)?;
    let own = client.refresh_token();
    let mut world = client.world;
    let stolen = if tape.once_in(2) { own } else { tape.next(world.token_count()) };
    let mut parties =
        [(policies[0], own), (policies[1], stolen)].map(|(policy, refresh)| Party { policy, refresh, access: 0 });
    for _ in 0..4 {
        // Each of them in each round, in either order, an ordinary access token's life apart.
        let first = tape.next(2);
        for party in [first, 1 - first] {
            world.now += GRACE + 1;
            if !parties[party].goes_on(&mut world)? {
                return Ok(());
            }
        }
        world.now += 3_600_000;
    }
    claim!(false, "stale replay: two parties went on for four rounds, {policies:?}");
    Ok(())
}

proptest! {
    #![proptest_config(super::cases(3000))]

    #[test]
    fn whatever_is_presented_the_naive_model_agrees(choices in vec(any::<u16>(), 0..200)) {
        anything_goes::<Pure>(World::new(), choices)?;
    }

    #[test]
    fn two_parties_cannot_both_go_on(choices in vec(any::<u16>(), 0..120)) {
        two_cannot_share::<Pure>(World::new(), choices)?;
    }
}

#[test]
fn a_thief_who_only_verifies_moves_nothing_once_the_window_is_over() -> Checked<()> {
    let mut world = World::<Pure>::new();
    world.refresh(PromoteOnUse, 0)?;
    world.refresh(PromoteOnUse, 0)?;
    world.verify(PromoteOnUse, 1, false)?;
    world.now += GRACE + 1;
    assert_eq!(world.verify(PromoteOnUse, 2, false)?, Seen::Good { reminted: false });
    assert_eq!(world.refresh(PromoteOnUse, 1)?, Outcome::Granted);
    Ok(())
}
