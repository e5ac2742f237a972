//! Who may ask what: the table of the domain, as the API keeps to it.

mod walk;

use std::collections::BTreeSet;

use domain::access::Permission::{self, *};
use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, PARTY, PARTY_UTC, PASSWORD, Server, global_id, mutation, party, with};

/// A field of the root, what it needs, and a way to ask that changes nothing even when it is allowed.
struct Asked {
    field: &'static str,
    needs: Option<Permission>,
    /// What does as well.
    or: Option<Permission>,
    document: String,
    variables: Value,
}

impl Asked {
    fn allowed(&self, role: Role) -> bool {
        let may = |permission| role.may(permission);
        self.needs.is_none_or(may) || self.or.is_some_and(may)
    }
}

fn question(field: &'static str, needs: Option<Permission>, document: String, id: &str) -> Asked {
    let variables = if document.contains("$id") {
        json!({"id": id})
    } else {
        json!({})
    };
    Asked {
        field,
        needs,
        or: None,
        document,
        variables,
    }
}

/// Every question of the schema.
fn questions(server: &Server) -> Vec<Asked> {
    let station = global_id("Station", server.company.san_jose);
    let nobody = "01930000-0000-7000-8000-000000000001";
    let (booking, customer) = (global_id("Booking", nobody), global_id("Customer", nobody));
    let by_id = |field: &str, of: &str| format!("query($id: ID!) {{ {field}({of}: $id) {{ id }} }}");
    let page = |field: &str| format!("{{ {field}(first: 1) {{ totalCount {{ value }} }} }}");
    let ask = |field, needs, document: String, id: &str| question(field, Some(needs), document, id);
    vec![
        question(
            "viewer",
            None,
            "{ viewer { userId email role permissions } }".to_owned(),
            "",
        ),
        ask("node", StationRead, by_id("node", "id"), &station),
        ask("station", StationRead, by_id("station", "id"), &station),
        ask("stations", StationRead, page("stations"), ""),
        ask("chef", ScheduleRead, by_id("chef", "id"), &global_id("Chef", nobody)),
        ask("chefs", ScheduleRead, page("chefs"), ""),
        ask(
            "availability",
            StationRead,
            "query($id: ID!) { availability(stationId: $id, from: \"2026-03-14\", to: \"2026-03-14\", guests: 8) {
                reason } }"
                .to_owned(),
            &station,
        ),
        ask("booking", BookingRead, by_id("booking", "id"), &booking),
        ask("bookings", BookingRead, page("bookings"), ""),
        ask("customer", CustomerRead, by_id("customer", "id"), &customer),
        ask("customers", CustomerRead, page("customers"), ""),
        ask("payments", PaymentRead, page("payments"), ""),
        ask("workItems", PaymentRead, page("workItems"), ""),
        ask("documents", PaymentRead, page("documents"), ""),
        ask("reviews", ReviewRead, page("reviews"), ""),
        ask(
            "reviewStats",
            ReviewRead,
            "{ reviewStats(from: \"2026-03-01\", to: \"2026-03-31\") { issued } }".to_owned(),
            "",
        ),
        ask(
            "reviewSettings",
            ReviewRead,
            "{ reviewSettings { routingMode } }".to_owned(),
            "",
        ),
        // Whoever may see money may see the bookings that it is for.
        ask(
            "dashboard",
            MoneyRead,
            "{ dashboard(from: \"2026-03-01\", to: \"2026-03-31\") { total { requested } } }".to_owned(),
            "",
        ),
        ask(
            "calendar",
            BookingRead,
            "query($id: ID!) { calendar(stationId: $id, from: \"2026-03-01\", to: \"2026-03-02\") { days { chefsTaken } } }"
                .to_owned(),
            &station,
        ),
        ask("leads", LeadRead, page("leads"), ""),
        ask(
            "leadStats",
            LeadRead,
            "{ leadStats(from: \"2026-03-01\", to: \"2026-03-31\") { total { new } } }".to_owned(),
            "",
        ),
        ask("leadWindow", LeadRead, "{ leadWindow { months } }".to_owned(), ""),
        ask("escalations", EscalationRead, page("escalations"), ""),
        ask("jobs", JobRead, page("jobs"), ""),
        ask("jobSchedules", JobRead, "{ jobSchedules { task } }".to_owned(), ""),
        ask("messages", MessageRead, page("messages"), ""),
        ask("messageTemplates", MessageRead, page("messageTemplates"), ""),
        ask(
            "messageTemplatePreview",
            MessageRead,
            "{ messageTemplatePreview(input: {kind: EVENT_REMINDER, channel: SMS}) { text } }".to_owned(),
            "",
        ),
        ask(
            "messageSettings",
            MessageRead,
            "{ messageSettings { locale } }".to_owned(),
            "",
        ),
        ask("job", JobRead, by_id("job", "id"), &global_id("Job", nobody)),
        ask(
            "escalationStats",
            EscalationRead,
            "{ escalationStats(from: \"2026-03-01\", to: \"2026-03-31\") { opened } }".to_owned(),
            "",
        ),
        ask(
            "conversation",
            ConversationRead,
            by_id("conversation", "id"),
            &global_id("Conversation", nobody),
        ),
        ask("conversations", ConversationRead, page("conversations"), ""),
        ask("auditLog", AuditRead, page("auditLog"), ""),
        ask(
            "log",
            AuditRead,
            "{ log { position headHash events } }".to_owned(),
            "",
        ),
        ask(
            "projections",
            ProjectionRead,
            "{ projections { name state } }".to_owned(),
            "",
        ),
        ask(
            "priceList",
            PriceRead,
            "query($id: ID!) { priceList(stationId: $id) { version } }".to_owned(),
            &station,
        ),
        ask(
            "priceHistory",
            PriceRead,
            "query($id: ID!) { priceHistory(first: 1, stationId: $id) { totalCount { value } } }".to_owned(),
            &station,
        ),
        ask(
            "quote",
            PriceRead,
            "{ quote(input: {zip: \"95112\", start: \"2026-03-14T18:00:00\", guests: {adults: 12}}) {
                total { amount } } }"
                .to_owned(),
            "",
        ),
        ask("promoCodes", PriceRead, page("promoCodes"), ""),
        ask(
            "priceBulkChangePreview",
            PriceRead,
            "query($id: ID!) { priceBulkChangePreview(input: {stationId: $id, by: {share: \"0.05\"}}) { item } }"
                .to_owned(),
            &station,
        ),
        ask(
            "priceListExport",
            PriceRead,
            "query($id: ID!) { priceListExport(stationId: $id) }".to_owned(),
            &station,
        ),
        ask(
            "priceListImportPreview",
            PriceRead,
            "query($id: ID!) { priceListImportPreview(input: {stationId: $id,
                csv: \"item,label,kind,price,min,max,effective_from\"}) { badRows { line } } }"
                .to_owned(),
            &station,
        ),
        ask("taxRates", TaxRead, page("taxRates"), ""),
        ask("trialBalance", TaxRead, "{ trialBalance { position } }".to_owned(), ""),
        ask(
            "taxReport",
            TaxRead,
            "{ taxReport(state: \"CA\", period: \"2026\") { checksum } }".to_owned(),
            "",
        ),
        ask(
            "taxLines",
            TaxRead,
            "{ taxLines(first: 1, state: \"CA\", period: \"2026\") { totalCount { value } } }".to_owned(),
            "",
        ),
        ask("taxPeriods", TaxRead, page("taxPeriods"), ""),
        ask("taxRatesCsv", TaxRead, "{ taxRatesCsv }".to_owned(), ""),
    ]
    .into_iter()
    .chain(questions_about_people())
    .collect()
}

/// Questions about who signs in; of the own sign-in everybody may ask.
fn questions_about_people() -> Vec<Asked> {
    let nobody = global_id("User", "01930000-0000-7000-8000-000000000001");
    let page = |field: &str| format!("{{ {field}(first: 1) {{ totalCount {{ value }} }} }}");
    let one = "query($id: ID!) { user(id: $id) { id } }".to_owned();
    vec![
        question("user", Some(UserRead), one, &nobody),
        question("users", Some(UserRead), page("users"), ""),
        question(
            "featureFlags",
            None,
            "{ featureFlags { flag share } }".to_owned(),
            "",
        ),
        question("secondFactorRule", None, "{ secondFactorRule }".to_owned(), ""),
        question("sessions", None, "{ sessions { id } }".to_owned(), ""),
        question(
            "signIns",
            None,
            "{ signIns(first: 1) { nodes { outcome } } }".to_owned(),
            "",
        ),
        Asked {
            or: Some(UserRead),
            ..question("apiKeys", Some(ApiKeyWrite), page("apiKeys"), "")
        },
    ]
}

/// Commands about who signs in; of the own sign-in everybody may give them.
fn commands_about_people() -> Vec<Asked> {
    let nobody = "01930000-0000-7000-8000-000000000001";
    let of_user = json!({"idempotencyKey": "k", "userId": global_id("User", nobody)});
    let password = json!({"password": "a password that is long"});
    let wrong = json!({"idempotencyKey": "k", "password": "not my password"});
    let command = |field, needs, input| Asked {
        field,
        needs,
        or: None,
        document: mutation(field, ""),
        variables: json!({"input": input}),
    };
    let sees_to_users = Some(UserWrite);
    vec![
        command(
            "userCreate",
            sees_to_users,
            with(
                json!({"idempotencyKey": "k", "email": "nobody", "role": "CHEF"}),
                password.clone(),
            ),
        ),
        command(
            "userRoleChange",
            sees_to_users,
            with(of_user.clone(), json!({"role": "CHEF"})),
        ),
        command(
            "userDeactivate",
            sees_to_users,
            with(of_user.clone(), json!({"reason": "leaves us"})),
        ),
        command("userReactivate", sees_to_users, of_user.clone()),
        command("userUnlock", sees_to_users, of_user.clone()),
        command("userPasswordSet", sees_to_users, with(of_user.clone(), password)),
        command("userTotpReset", sees_to_users, of_user),
        command(
            "secondFactorRuleSet",
            sees_to_users,
            json!({"idempotencyKey": "k", "rule": "OPTIONAL"}),
        ),
        command(
            "featureFlagSet",
            Some(FlagWrite),
            json!({"idempotencyKey": "k", "flag": "REVIEW_REQUESTS", "share": "1", "reason": "a trial"}),
        ),
        command(
            "apiKeyCreate",
            Some(ApiKeyWrite),
            json!({"idempotencyKey": "k", "name": "till", "scopes": []}),
        ),
        Asked {
            or: Some(UserRead),
            ..command(
                "apiKeyRevoke",
                Some(ApiKeyWrite),
                json!({"idempotencyKey": "k", "apiKeyId": global_id("ApiKey", nobody), "reason": "leaked"}),
            )
        },
        command(
            "sessionRevoke",
            None,
            json!({"idempotencyKey": "k", "sessionId": global_id("Session", nobody)}),
        ),
        command(
            "passwordChange",
            None,
            json!({
                "idempotencyKey": "k", "currentPassword": "not my password",
                "newPassword": "a password that is long",
            }),
        ),
        Asked {
            document:
                "mutation($input: TotpEnrolInput!) { totpEnrol(input: $input) { userErrors { code } } }"
                    .to_owned(),
            ..command("totpEnrol", None, json!({"password": "not my password"}))
        },
        command(
            "totpConfirm",
            None,
            json!({"idempotencyKey": "k", "code": "123456"}),
        ),
        command("totpDisable", None, wrong.clone()),
        command("recoveryCodesRenew", None, wrong),
    ]
}

/// Every command of the schema, each with an input that is refused once it is allowed.
fn commands() -> Vec<Asked> {
    let nobody = "01930000-0000-7000-8000-000000000001";
    let booking = json!({"idempotencyKey": "k", "bookingId": global_id("Booking", nobody)});
    let nowhere = json!({
        "venue": {"street": "1 Main St", "city": "Nowhere", "state": "CA", "zip": "00000"},
    });
    let price = json!({
        "idempotencyKey": "k", "stationId": global_id("Station", nobody), "item": "adult",
        "priceMinor": 6_000, "reason": "dearer",
    });
    let rate = json!({
        "idempotencyKey": "k", "state": "CA", "county": "Yolo", "rate": "0.5",
        "effectiveFrom": "2026-01-01",
    });
    let verify = json!({"idempotencyKey": "k", "paymentId": global_id("Payment", nobody), "accept": true});
    let of_payment = json!({"idempotencyKey": "k", "paymentId": global_id("Payment", nobody)});
    let erase = json!({
        "idempotencyKey": "k", "customerId": global_id("Customer", nobody), "reason": "asked for it",
    });
    let money = json!({"kind": "DEPOSIT", "method": "ZELLE", "amountMinor": 10_000});
    let of_escalation = json!({"idempotencyKey": "k", "escalationId": global_id("Escalation", nobody)});
    let chef = json!({"chefId": global_id("Chef", nobody)});
    let of_chef = with(json!({"idempotencyKey": "k"}), chef.clone());
    let command = |field, needs, input| Asked {
        field,
        needs: Some(needs),
        or: None,
        document: mutation(field, ""),
        variables: json!({"input": input}),
    };
    vec![
        command("bookingRequest", BookingWrite, with(party("k"), nowhere)),
        command("bookingComplete", BookingWrite, booking.clone()),
        command(
            "bookingCancel",
            BookingWrite,
            with(booking.clone(), json!({"reason": "plans changed"})),
        ),
        command(
            "bookingReschedule",
            BookingWrite,
            with(booking.clone(), json!({"start": PARTY})),
        ),
        command(
            "bookingGuestCountChange",
            BookingWrite,
            with(booking.clone(), json!({"guests": {"adults": 9}})),
        ),
        command(
            "bookingMenuChange",
            BookingWrite,
            with(booking.clone(), json!({"addOns": []})),
        ),
        command(
            "bookingChefAssign",
            BookingWrite,
            with(booking.clone(), chef.clone()),
        ),
        command(
            "bookingChefUnassign",
            BookingWrite,
            with(booking.clone(), chef.clone()),
        ),
        command(
            "bookingDepositExtend",
            BookingWrite,
            with(
                booking.clone(),
                json!({"dueAt": PARTY_UTC, "reason": "slow bank"}),
            ),
        ),
        command(
            "bookingNoteAdd",
            BookingWrite,
            with(booking.clone(), json!({"note": "gate code"})),
        ),
        command(
            "bookingTermsAccept",
            BookingWrite,
            with(booking.clone(), json!({"termsVersion": "2026-01"})),
        ),
        command(
            "bookingDelete",
            BookingWrite,
            with(booking.clone(), json!({"reason": "made by mistake"})),
        ),
        command("bookingRestore", BookingWrite, booking.clone()),
        command(
            "stationCreate",
            StationWrite,
            json!({
                "idempotencyKey": "k", "name": "", "zone": "America/Phoenix", "zip": "85004", "state": "AZ",
            }),
        ),
        command(
            "stationSettingsChange",
            StationWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "settings": {},
                "reason": "as usual",
            }),
        ),
        command(
            "chefRegister",
            ChefWrite,
            json!({"idempotencyKey": "k", "name": "A Chef", "stationIds": [global_id("Station", nobody)]}),
        ),
        command(
            "chefSkillsSet",
            ScheduleWrite,
            with(of_chef.clone(), json!({"skills": []})),
        ),
        command(
            "chefAvailabilitySet",
            ScheduleWrite,
            with(of_chef.clone(), json!({"weekly": []})),
        ),
        command(
            "chefDateExceptionSet",
            ScheduleWrite,
            with(of_chef.clone(), json!({"on": "2026-03-14"})),
        ),
        command(
            "chefTimeOffAdd",
            ScheduleWrite,
            with(of_chef.clone(), json!({"from": "2026-03-14", "to": "2026-03-14"})),
        ),
        command(
            "chefTimeOffCancel",
            ScheduleWrite,
            with(of_chef.clone(), json!({"from": "2026-03-14", "to": "2026-03-14"})),
        ),
        command("chefCapsSet", ScheduleWrite, of_chef.clone()),
        command(
            "chefStationJoin",
            ChefWrite,
            with(
                of_chef.clone(),
                json!({"stationId": global_id("Station", nobody)}),
            ),
        ),
        command(
            "chefStationLeave",
            ChefWrite,
            with(
                of_chef.clone(),
                json!({"stationId": global_id("Station", nobody)}),
            ),
        ),
        command("calendarIssue", ScheduleWrite, of_chef.clone()),
        command("calendarRevoke", ScheduleWrite, of_chef),
        command("paymentRecord", PaymentWrite, with(booking, money)),
        command("paymentVerify", PaymentWrite, verify),
        command(
            "paymentIntentCreate",
            PaymentWrite,
            json!({
                "idempotencyKey": "k", "bookingId": global_id("Booking", nobody), "kind": "DEPOSIT",
                "amountMinor": 10_000,
            }),
        ),
        command(
            "paymentVoid",
            PaymentVoid,
            with(of_payment.clone(), json!({"reason": "it is not there"})),
        ),
        command(
            "paymentRefund",
            PaymentRefund,
            with(
                of_payment.clone(),
                json!({"amountMinor": 1, "reason": "a kindness"}),
            ),
        ),
        command(
            "paymentRefundSettle",
            PaymentRefund,
            with(
                of_payment,
                json!({"refundId": global_id("Refund", nobody), "succeeded": true}),
            ),
        ),
        command(
            "refundLimitSet",
            PaymentVoid,
            json!({"idempotencyKey": "k", "limitMinor": -1}),
        ),
        command(
            "workItemResolve",
            PaymentWrite,
            json!({"idempotencyKey": "k", "workItemId": global_id("WorkItem", nobody), "note": "seen to"}),
        ),
        command(
            "reviewLinkIssue",
            ReviewWrite,
            json!({"idempotencyKey": "k", "bookingId": global_id("Booking", nobody)}),
        ),
        command(
            "reviewModerate",
            ReviewWrite,
            json!({"idempotencyKey": "k", "reviewId": global_id("Review", nobody), "approve": true}),
        ),
        command(
            "reviewReply",
            ReviewWrite,
            json!({"idempotencyKey": "k", "reviewId": global_id("Review", nobody), "text": "thank you"}),
        ),
        command(
            "reviewCouponGrant",
            ReviewWrite,
            json!({"idempotencyKey": "k", "reviewId": global_id("Review", nobody), "reason": "cold rice"}),
        ),
        command(
            "reviewSettingsChange",
            StationWrite,
            json!({
                "idempotencyKey": "k", "links": [], "coupon": {"discount": {"rate": "0.1"}, "validDays": 0},
            }),
        ),
        command(
            "reviewRoutingSet",
            UserWrite,
            json!({"idempotencyKey": "k", "mode": "RATING_GATED"}),
        ),
        command(
            "bankMailSubmit",
            PaymentWrite,
            json!({"idempotencyKey": "k", "text": "no mail of a bank"}),
        ),
        command(
            "jobRetry",
            JobWrite,
            json!({"idempotencyKey": "k", "jobId": global_id("Job", nobody)}),
        ),
        command(
            "jobDrop",
            JobWrite,
            json!({"idempotencyKey": "k", "jobId": global_id("Job", nobody), "reason": "gone"}),
        ),
        command(
            "messageTemplateSave",
            TemplateWrite,
            json!({"idempotencyKey": "k", "kind": "EVENT_REMINDER", "channel": "SMS", "text": ""}),
        ),
        command(
            "messageTemplateRetire",
            TemplateWrite,
            json!({
                "idempotencyKey": "k", "messageTemplateId": global_id("MessageTemplate", nobody), "reason": "old",
            }),
        ),
        command(
            "messageSettingsChange",
            TemplateWrite,
            json!({"idempotencyKey": "k", "quietFrom": "08:00", "quietUntil": "08:00"}),
        ),
        command(
            "escalationOpen",
            EscalationWrite,
            json!({"idempotencyKey": "k", "reason": "x"}),
        ),
        command("escalationAssign", EscalationWrite, of_escalation.clone()),
        command("escalationJoin", EscalationWrite, of_escalation.clone()),
        command(
            "escalationResolve",
            EscalationWrite,
            with(of_escalation.clone(), json!({"note": "seen to"})),
        ),
        command(
            "escalationSurvey",
            EscalationWrite,
            with(of_escalation, json!({"score": 5})),
        ),
        command(
            "messagePost",
            ConversationWrite,
            json!({"idempotencyKey": "k", "text": ""}),
        ),
        command(
            "assistantResume",
            ConversationWrite,
            json!({"idempotencyKey": "k", "conversationId": global_id("Conversation", nobody)}),
        ),
        command(
            "invoiceIssue",
            PaymentWrite,
            json!({"idempotencyKey": "k", "bookingId": global_id("Booking", nobody)}),
        ),
        command(
            "receiptIssue",
            PaymentWrite,
            json!({"idempotencyKey": "k", "paymentId": global_id("Payment", nobody)}),
        ),
        command(
            "creditNoteIssue",
            PaymentWrite,
            json!({
                "idempotencyKey": "k", "paymentId": global_id("Payment", nobody),
                "refundId": global_id("Refund", nobody),
            }),
        ),
        command("customerErase", CustomerErase, erase),
        command(
            "customerConsentSet",
            CustomerWrite,
            json!({
                "idempotencyKey": "k", "customerId": global_id("Customer", nobody), "channel": "SMS",
                "textVersion": "2026-01",
            }),
        ),
        command(
            "customerLocaleSet",
            CustomerWrite,
            json!({"idempotencyKey": "k", "customerId": global_id("Customer", nobody), "locale": "es-MX"}),
        ),
        command(
            "leadCapture",
            LeadWrite,
            json!({
                "idempotencyKey": "k", "customer": {"name": "A", "email": "a@example.com"}, "zip": "95112",
                "start": PARTY, "guests": {"adults": 12}, "abandoned": "QUOTE",
            }),
        ),
        command(
            "leadUpdate",
            LeadWrite,
            json!({"idempotencyKey": "k", "leadId": global_id("Lead", nobody), "status": "CONTACTED"}),
        ),
        command(
            "leadWindowSet",
            StationWrite,
            json!({"idempotencyKey": "k", "months": 0}),
        ),
        command("priceChange", PriceWrite, price),
        command(
            "priceItemAdd",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "item": "tray", "label": "Tray",
                "kind": "ADD_ON", "priceMinor": 2_500,
            }),
        ),
        command(
            "priceItemRetire",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "item": "tray", "reason": "gone",
            }),
        ),
        command(
            "priceTravelSet",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "freeMiles": 20,
                "perMileMinor": 200, "maxMiles": 80,
            }),
        ),
        command(
            "priceMinimumSet",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "weekdayMinor": 50_000,
                "weekendMinor": 60_000, "below": "TOP_UP",
            }),
        ),
        command(
            "priceBulkChange",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "by": {"share": "0.05"},
                "reason": "dearer",
            }),
        ),
        command(
            "priceListImport",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "stationId": global_id("Station", nobody), "csv": "", "reason": "new menu",
            }),
        ),
        command(
            "bookingPolicySet",
            PriceWrite,
            json!({"idempotencyKey": "k", "stationId": global_id("Station", nobody), "cardFeeRate": "0.02"}),
        ),
        command(
            "promoCodeCreate",
            PriceWrite,
            json!({"idempotencyKey": "k", "code": "", "terms": {"discount": {"rate": "0.1"}}}),
        ),
        command(
            "promoCodeChange",
            PriceWrite,
            json!({
                "idempotencyKey": "k", "promoCodeId": global_id("PromoCode", nobody),
                "terms": {"discount": {"rate": "0.1"}}, "reason": "dearer",
            }),
        ),
        command(
            "promoCodeEnd",
            PriceWrite,
            json!({"idempotencyKey": "k", "promoCodeId": global_id("PromoCode", nobody), "reason": "over"}),
        ),
        command("taxRateSet", TaxWrite, rate),
        command(
            "taxRatesImport",
            TaxWrite,
            json!({"idempotencyKey": "k", "csv": ""}),
        ),
        command(
            "bookingTaxPlaceSet",
            TaxWrite,
            json!({
                "idempotencyKey": "k", "bookingId": global_id("Booking", nobody), "state": "CA", "county": "Yolo",
                "reason": "looked at the map",
            }),
        ),
        command(
            "bookingTaxResolve",
            TaxWrite,
            json!({"idempotencyKey": "k", "bookingId": global_id("Booking", nobody)}),
        ),
        command(
            "taxPeriodClose",
            TaxClose,
            json!({"idempotencyKey": "k", "state": "CA", "period": "2199"}),
        ),
        command(
            "taxPeriodReopen",
            TaxClose,
            json!({"idempotencyKey": "k", "state": "CA", "period": "2199", "reason": "a mistake"}),
        ),
        command(
            "cardFeeTaxChoose",
            TaxClose,
            json!({"idempotencyKey": "k", "cardFee": "WHOLE", "reason": "as before"}),
        ),
        command(
            "keptDepositTaxChoose",
            TaxClose,
            json!({"idempotencyKey": "k", "keptDeposit": "NOT_A_SALE", "reason": "as before"}),
        ),
    ]
    .into_iter()
    .chain(commands_about_people())
    .collect()
}

/// Whether the answer is that it is forbidden; anything else that is wrong with it fails the test.
fn is_forbidden(about: &str, answer: &Value) -> bool {
    let error = &answer["errors"][0];
    if error.is_null() {
        return false;
    }
    assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{about}: {answer}");
    assert!(error["extensions"]["requestId"].is_string(), "{about}");
    assert!(
        error["message"].as_str().is_some_and(|said| said.contains(':')),
        "{about}: the permission is named"
    );
    true
}

#[tokio::test]
async fn every_role_may_ask_what_the_table_says_and_nothing_else() {
    let server = Server::start().await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push((role, server.sign_in(role).await));
    }
    server.caught_up(&server.company).await;
    let before = server.written(&server.company).await;
    for (role, person) in &people {
        for asked in questions(&server).into_iter().chain(commands()) {
            let about = format!("{role:?} {}", asked.field);
            let may = asked.allowed(*role);
            let answer = person.graphql(&asked.document, asked.variables).await;
            assert_eq!(is_forbidden(&about, &answer), !may, "{about}: {answer}");
            if !may {
                let data = &answer["data"];
                assert!(data.is_null() || data[asked.field].is_null(), "{about}: {answer}");
            }
        }
        let viewer = person.data("{ viewer { role permissions } }", json!({})).await;
        let permissions: Vec<&str> = role.permissions().iter().map(|may| may.as_str()).collect();
        assert_eq!(
            viewer["viewer"],
            json!({"role": role.as_str(), "permissions": permissions})
        );
    }
    assert_eq!(server.written(&server.company).await, before);
}

#[tokio::test]
async fn the_tables_of_these_tests_hold_every_field_of_the_root() {
    let server = Server::start().await;
    let auditor = server.sign_in(Role::Auditor).await;
    let schema = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
    let schema = auditor.data(schema, json!({})).await;
    for (kind, asked, open) in [
        ("queryType", questions(&server), [].as_slice()),
        // For anybody, or for whoever holds what they name.
        ("mutationType", commands(), &["signIn", "tokenRefresh", "signOut"]),
    ] {
        let fields = schema["__schema"][kind]["fields"]
            .as_array()
            .expect("a root has fields");
        let fields: BTreeSet<&str> = fields.iter().filter_map(|field| field["name"].as_str()).collect();
        let open = open.iter().copied();
        let asked: BTreeSet<&str> = asked.iter().map(|asked| asked.field).chain(open).collect();
        assert_eq!(fields, asked, "{kind}");
    }
}

/// A company in which everything has happened once: a booking that was held and paid, and a lead.
async fn lived_in(server: &Server) -> (String, String, String) {
    let mut admin = server.sign_in(Role::Admin).await;
    let booked = admin
        .done("bookingRequest", "booking { id customer { id } }", party("ours"))
        .await;
    assert_eq!(
        admin.refused("bookingRequest", party("late")).await,
        "SLOT_UNAVAILABLE"
    );
    let booking = booked["booking"]["id"].as_str().expect("an id").to_owned();
    let money = json!({
        "idempotencyKey": "money", "bookingId": booking, "kind": "DEPOSIT", "method": "ZELLE",
        "amountMinor": 85_118, "tipMinor": 500,
    });
    let payment = admin.done("paymentRecord", "payment { id }", money).await["payment"]["id"].take();
    let verify = json!({"idempotencyKey": "verify", "paymentId": payment, "accept": true, "note": "seen"});
    let verified = admin.done("paymentVerify", "", verify).await;
    let at = verified["position"].as_i64().expect("it was written") + 1;
    let confirmed = "query($id: ID!, $at: LogPosition!) {
        booking(id: $id, fresh: {atLeast: $at, waitMs: 10000}) { status } }";
    let confirmed = admin.data(confirmed, json!({"id": booking, "at": at})).await;
    assert_eq!(confirmed["booking"]["status"], "CONFIRMED");
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    let complete = json!({"idempotencyKey": "complete", "bookingId": booking});
    admin.done("bookingComplete", "", complete).await;
    server.caught_up(&server.company).await;
    let customer = booked["booking"]["customer"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    (booking, customer, payment.as_str().expect("an id").to_owned())
}

/// Fields that need a permission beside that of the object they are on.
const FIELDS: &[(&str, Permission, &str, &str, Permission)] = &[
    (
        "Booking",
        BookingRead,
        "customer",
        "{ name email phone }",
        CustomerRead,
    ),
    (
        "Booking",
        BookingRead,
        "payments(first: 5)",
        "{ nodes { status } }",
        PaymentRead,
    ),
    (
        "Booking",
        BookingRead,
        "audit(first: 5)",
        "{ nodes { summary } }",
        AuditRead,
    ),
    ("Booking", BookingRead, "tax", "{ tax { amount } }", TaxRead),
    ("Payment", PaymentRead, "booking", "{ number }", BookingRead),
];

#[tokio::test]
async fn a_field_that_tells_more_than_its_object_needs_a_permission_of_its_own() {
    let server = Server::start().await;
    let (booking, _, payment) = lived_in(&server).await;
    for role in Role::ALL {
        let person = server.sign_in(role).await;
        for (kind, object, field, what, needs) in FIELDS {
            let about = format!("{role:?} {kind} {field}");
            let id = if *kind == "Booking" { &booking } else { &payment };
            let query =
                format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ told: {field} {what} }} }} }}");
            let answer = person.graphql(&query, json!({"id": id})).await;
            let may = role.may(*object) && role.may(*needs);
            assert_eq!(is_forbidden(&about, &answer), !may, "{about}: {answer}");
            assert_eq!(
                answer["data"]["node"]["told"].is_object(),
                may,
                "{about}: {answer}"
            );
        }
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn somebody_of_one_station_sees_and_does_nothing_at_another() {
    let server = Server::start().await;
    let (san_jose, sacramento) = (
        global_id("Station", server.company.san_jose),
        global_id("Station", server.company.sacramento),
    );
    let admin = server.sign_in(Role::Admin).await;
    let theirs = admin
        .done("bookingRequest", "booking { id }", party("theirs"))
        .await["booking"]["id"]
        .take();
    let there = json!({
        "stationId": sacramento,
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let own = with(party("own"), there);
    let own = admin.done("bookingRequest", "booking { id }", own).await["booking"]["id"].take();
    for (key, booking) in [("p1", &theirs), ("p2", &own)] {
        let money = json!({
            "idempotencyKey": key, "bookingId": booking, "kind": "DEPOSIT", "method": "ZELLE",
            "amountMinor": 10_000,
        });
        admin.done("paymentRecord", "", money).await;
    }
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let manager = server
        .sign_in_at(&server.company, Role::StationManager, scope)
        .await;
    server.caught_up(&server.company).await;
    let before = server.written(&server.company).await;
    let seen = "query($theirs: ID!, $own: ID!, $station: ID!) {
        bookings(first: 10) { totalCount { value } nodes { id station { name } } }
        payments(first: 10) { totalCount { value } nodes { booking { id } } }
        stations(first: 10) { nodes { name } }
        viewer { stations { name } }
        theirs: booking(id: $theirs) { id } own: booking(id: $own) { id }
        node(id: $theirs) { id } station(id: $station) { id }
        elsewhere: bookings(first: 10, filter: {stationId: $station}) { totalCount { value } }
        filtered: payments(first: 10, filter: {bookingId: $theirs}) { totalCount { value } }
        priceHistory(first: 10, stationId: $station) { totalCount { value } } }";
    let variables = json!({"theirs": theirs, "own": own, "station": san_jose});
    assert_eq!(
        manager.data(seen, variables).await,
        json!({
            "bookings": {"totalCount": {"value": 1}, "nodes": [{"id": own, "station": {"name": "Sacramento"}}]},
            "payments": {"totalCount": {"value": 1}, "nodes": [{"booking": {"id": own}}]},
            "stations": {"nodes": [{"name": "Sacramento"}]},
            "viewer": {"stations": [{"name": "Sacramento"}]},
            "theirs": null, "own": {"id": own}, "node": null, "station": null,
            "elsewhere": {"totalCount": {"value": 0}},
            "filtered": {"totalCount": {"value": 0}},
            "priceHistory": {"totalCount": {"value": 0}},
        })
    );
    for query in [
        "query($id: ID!) { priceList(stationId: $id) { version } }",
        "query($id: ID!) { quote(input: {stationId: $id, zip: \"95112\", start: \"2026-03-14T18:00:00\",
            guests: {adults: 12}}) { total { amount } } }",
    ] {
        let answer = manager.graphql(query, json!({"id": san_jose})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{answer}");
    }
    for (command, input) in [
        (
            "bookingComplete",
            json!({"idempotencyKey": "m1", "bookingId": theirs}),
        ),
        (
            "bookingCancel",
            json!({"idempotencyKey": "m2", "bookingId": theirs, "reason": "plans changed"}),
        ),
        (
            "bookingRequest",
            with(party("m3"), json!({"stationId": san_jose})),
        ),
    ] {
        assert_eq!(manager.refused(command, input).await, "NOT_FOUND", "{command}");
    }
    assert_eq!(server.written(&server.company).await, before);
    let cancel = json!({"idempotencyKey": "m4", "bookingId": own, "reason": "plans changed"});
    manager.done("bookingCancel", "booking { status }", cancel).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Everything that a company's auditor can list, as numbers of rows.
async fn everything(client: &Client) -> Value {
    let lists = "{
        bookings(first: 100) { totalCount { value } } customers(first: 100) { totalCount { value } }
        payments(first: 100) { totalCount { value } } leads(first: 100) { totalCount { value } }
        taxLines(first: 100, state: \"CA\", period: \"2026\") { totalCount { value } }
        taxReport(state: \"CA\", period: \"2026\") { rows { county } total { orders gross { minor } } } }";
    client.data(lists, json!({})).await
}

#[tokio::test]
async fn somebody_of_another_company_finds_nothing_of_ours() {
    let server = Server::start().await;
    let (booking, customer, payment) = lived_in(&server).await;
    let neighbour = server.neighbour().await;
    let spy = server
        .sign_in_at(&neighbour, Role::SuperAdmin, StationScope::All)
        .await;
    let nothing = json!({"totalCount": {"value": 0}});
    assert_eq!(
        everything(&spy).await,
        json!({
            "bookings": nothing, "customers": nothing, "payments": nothing, "leads": nothing,
            "taxLines": nothing,
            "taxReport": {"rows": [], "total": {"orders": 0, "gross": {"minor": 0}}},
        })
    );
    let organisation = global_id("Organisation", server.company.tenant);
    let station = global_id("Station", server.company.san_jose);
    for id in [&booking, &customer, &payment, &station, &organisation] {
        let query = "query($id: ID!) { node(id: $id) { id } booking(id: $id) { id } customer(id: $id) { id }
            station(id: $id) { id } auditLog(first: 5, filter: {entityId: $id}) { nodes { summary } } }";
        assert_eq!(
            spy.data(query, json!({"id": id})).await,
            json!({"node": null, "booking": null, "customer": null, "station": null, "auditLog": {"nodes": []}})
        );
    }
    for query in [
        "query($id: ID!) { bookings(first: 5, filter: {customerId: $id}) { nodes { id } } }",
        "query($id: ID!) { bookings(first: 5, filter: {stationId: $id}) { nodes { id } } }",
        "query($id: ID!) { payments(first: 5, filter: {bookingId: $id}) { nodes { id } } }",
    ] {
        for id in [&booking, &customer, &station] {
            let answer = spy.graphql(query, json!({"id": id})).await;
            assert!(!answer.to_string().contains("\"id\":"), "{answer}");
        }
    }
    let search = "{ customers(first: 5, search: \"ours@example.com\") { nodes { id } }
        auditLog(first: 5, filter: {search: \"851.18\"}) { nodes { summary } }
        bookings(first: 5, filter: {search: \"95112\"}, asOf: {position: 1}) { nodes { id } } }";
    assert_eq!(
        spy.data(search, json!({})).await,
        json!({"customers": {"nodes": []}, "auditLog": {"nodes": []}, "bookings": {"nodes": []}})
    );
    let ours = server.sign_in(Role::Auditor).await;
    let total = |list: &str, lists: &Value| lists[list]["totalCount"]["value"].clone();
    let lists = everything(&ours).await;
    assert_eq!(
        [
            total("bookings", &lists),
            total("leads", &lists),
            total("taxLines", &lists)
        ],
        [json!(1), json!(1), json!(2)]
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
    server.assert_rebuild_changes_nothing(&neighbour).await;
}

#[tokio::test]
async fn a_user_of_one_company_does_not_sign_in_to_another() {
    let server = Server::start().await;
    let neighbour = server.neighbour().await;
    server.sign_in(Role::Admin).await;
    let sign_in =
        "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }";
    let input =
        json!({"organisation": neighbour.slug, "email": "admin@our-hibachi.test", "password": PASSWORD});
    let refused = server.nobody().data(sign_in, json!({"input": input})).await;
    assert_eq!(
        refused["signIn"],
        json!({"accessToken": null, "userErrors": [{"code": "WRONG_CREDENTIALS"}]})
    );
}

#[tokio::test]
async fn somebody_without_the_permission_does_not_learn_what_a_key_did() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", "booking { id }", party("a")).await["booking"]["id"].take();
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": booking, "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel.clone()).await;
    let price = json!({
        "idempotencyKey": "price", "stationId": global_id("Station", server.company.san_jose),
        "item": "adult", "priceMinor": 6_000, "reason": "dearer",
    });
    admin.done("priceChange", "", price.clone()).await;
    let auditor = server.sign_in(Role::Auditor).await;
    for (command, input) in [
        ("bookingRequest", party("a")),
        ("bookingCancel", cancel.clone()),
        ("bookingCancel", with(cancel, json!({"reason": "another"}))),
        ("priceChange", price),
    ] {
        let answer = auditor
            .graphql(&mutation(command, ""), json!({"input": input}))
            .await;
        assert!(is_forbidden(command, &answer), "{command}: {answer}");
    }
}
