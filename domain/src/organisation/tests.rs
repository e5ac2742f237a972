use super::*;
use crate::access::Role;
use crate::decider::Refusal;
use crate::ids::StationId;

fn create(name: &str, slug: &str) -> OrganisationCommand {
    OrganisationCommand::Create(OrganisationCreated {
        name: name.to_owned(),
        slug: slug.to_owned(),
    })
}

#[test]
fn a_company_joins_once() {
    let mut company = Organisation::default();
    let events = company.decide(create("My Hibachi", "my-hibachi")).unwrap();
    company.evolve(&events[0]);
    assert_eq!(
        company.decide(create("My Hibachi", "my-hibachi")),
        Err(OrganisationError::Exists)
    );
}

#[test]
fn only_a_company_that_is_there_opens_branches() {
    let add = OrganisationCommand::AddStation(StationAdded {
        station_id: StationId(uuid::Uuid::nil()),
        zip: "95112".parse().unwrap(),
    });
    let mut company = Organisation::default();
    assert_eq!(company.decide(add.clone()), Err(OrganisationError::NotFound));
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    company.evolve(&company.decide(add).unwrap()[0]);
    assert_eq!(company.stations().len(), 1);
}

#[test]
fn a_company_keeps_data_of_leads_for_a_year_unless_it_says_otherwise() {
    let set = |months| OrganisationCommand::SetLeadWindow {
        months,
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let mut company = Organisation::default();
    assert_eq!(company.decide(set(6)), Err(OrganisationError::NotFound));
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    assert_eq!(company.lead_months(), 12);
    for bad in [0, 121] {
        assert_eq!(company.decide(set(bad)), Err(OrganisationError::BadLeadWindow));
    }
    company.evolve(&company.decide(set(6)).unwrap()[0]);
    assert_eq!(company.lead_months(), 6);
}

#[test]
fn support_gives_back_so_much_of_a_payment_as_the_company_has_set() {
    let set = |cents| OrganisationCommand::SetRefundLimit {
        limit_cents: Cents(cents),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let mut company = Organisation::default();
    assert_eq!(company.decide(set(5_000)), Err(OrganisationError::NotFound));
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    assert_eq!(company.refund_limit(), USUAL_REFUND_LIMIT);
    assert_eq!(company.decide(set(-1)), Err(OrganisationError::BadLimit));
    company.evolve(&company.decide(set(5_000)).unwrap()[0]);
    assert_eq!(company.refund_limit(), Cents(5_000));
}

#[test]
fn a_company_is_quiet_at_night_unless_it_says_otherwise() {
    let set = |page: &str| OrganisationCommand::ChangeMessageSettings {
        settings: MessageSettings {
            payment_page: Some(page.to_owned()),
            ..MessageSettings::default()
        },
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let mut company = Organisation::default();
    assert_eq!(
        company.decide(set("https://pay.test/")),
        Err(OrganisationError::NotFound)
    );
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    assert_eq!(company.messages(), &MessageSettings::default());
    assert_eq!(
        company.decide(set("pay.test")),
        Err(MessageSettingsError::BadPage.into())
    );
    company.evolve(&company.decide(set("https://pay.test/")).unwrap()[0]);
    assert_eq!(
        company.messages().payment_page.as_deref(),
        Some("https://pay.test/")
    );
    assert_eq!(
        company.decide(set("https://pay.test/")),
        Err(MessageSettingsError::Unchanged.into())
    );
}

#[test]
fn a_name_or_slug_that_cannot_be_used_is_refused() {
    let company = Organisation::default();
    assert_eq!(company.decide(create(" ", "ok")), Err(OrganisationError::BadName));
    assert_eq!(
        company.decide(create("Ok", "Not Ok")),
        Err(OrganisationError::BadSlug)
    );
}

#[test]
fn whether_kept_money_is_a_sale_is_chosen_with_a_reason_and_changes_once() {
    let choose = |kept_deposit, reason: &str| OrganisationCommand::ChooseKeptDepositTax {
        kept_deposit,
        reason: reason.to_owned(),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let sale = || choose(KeptDepositTax::Sale, "our accountant says so");
    let mut company = Organisation::default();
    assert_eq!(company.decide(sale()), Err(OrganisationError::NotFound));
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    assert_eq!(company.kept_deposit_tax(), KeptDepositTax::NotASale);
    let short = choose(KeptDepositTax::Sale, "x");
    assert_eq!(company.decide(short), Err(OrganisationError::BadReason));
    company.evolve(&company.decide(sale()).unwrap()[0]);
    assert_eq!(company.kept_deposit_tax(), KeptDepositTax::Sale);
    let again = company.decide(sale()).unwrap_err();
    assert_eq!((again.code(), again.field()), ("UNCHANGED", &["keptDeposit"][..]));
}

#[test]
fn a_second_factor_is_demanded_of_whoever_sees_to_money_and_people() {
    let set = |rule| OrganisationCommand::SetSecondFactorRule {
        rule,
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let demanded = || set(SecondFactorRule::Demanded);
    let mut company = Organisation::default();
    assert_eq!(company.decide(demanded()), Err(OrganisationError::NotFound));
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    assert!(
        Role::ALL
            .iter()
            .all(|role| !company.second_factor().demands_of(*role))
    );
    company.evolve(&company.decide(demanded()).unwrap()[0]);
    let of: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|role| company.second_factor().demands_of(*role))
        .collect();
    assert_eq!(of, [Role::SuperAdmin, Role::Admin, Role::Accountant]);
    let again = company.decide(demanded()).unwrap_err();
    assert_eq!((again.code(), again.field()), ("UNCHANGED", &["rule"][..]));
}

#[test]
fn a_company_is_let_into_something_for_a_share_of_its_customers() {
    let set = |ppm, reason: &str| OrganisationCommand::SetFeatureFlag {
        flag: FeatureFlag::AssistantAnswers,
        share: RatePpm(ppm),
        reason: reason.to_owned(),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let mut company = Organisation::default();
    assert_eq!(
        company.decide(set(0, "a trial")),
        Err(OrganisationError::NotFound)
    );
    company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
    assert!(company.is_in(FeatureFlag::AssistantAnswers, "a conversation"));
    assert_eq!(company.decide(set(0, "x")), Err(OrganisationError::BadReason));
    let again = company.decide(set(1_000_000, "a trial")).unwrap_err();
    assert_eq!((again.code(), again.field()), ("UNCHANGED", &["share"][..]));
    company.evolve(&company.decide(set(0, "a trial")).unwrap()[0]);
    assert!(!company.is_in(FeatureFlag::AssistantAnswers, "a conversation"));
    assert!(company.is_in(FeatureFlag::ReviewRequests, "a booking"));
    let state = company.flag(FeatureFlag::AssistantAnswers).unwrap();
    assert_eq!(state.share, RatePpm(0));
}

#[test]
fn a_flag_that_is_not_known_any_more_counts_for_nothing() {
    let set = FeatureFlagSet {
        flag: "what_was_once_new".to_owned(),
        before_ppm: RatePpm(1_000_000),
        share_ppm: RatePpm(0),
        reason: "a trial".to_owned(),
        set_at: "2026-11-21T00:00:00Z".parse().unwrap(),
    };
    let mut company = Organisation::default();
    company.evolve(&OrganisationEvent::FeatureFlagSet(set));
    for flag in FeatureFlag::ALL {
        assert_eq!(company.flag(flag), None);
        assert!(company.is_in(flag, "a key"));
    }
}
