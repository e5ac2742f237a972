//! A payment provider for stories: it says yes at once, and remembers what it charged. No money moves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commands::gateways::stripe::{Notice, Subject};
use commands::ports::{CardIntent, GatewayError, IntentAsk, PaymentGateway, RefundAsk};
use domain::ids::PaymentId;
use domain::money::Cents;
use domain::payment::{DisputeOutcome, ProviderFact, ProviderRefund, RefundSeen};

/// What was charged of one intent, and given back.
#[derive(Debug, Clone, Default)]
struct Charged {
    total_cents: Cents,
    refunds: Vec<ProviderRefund>,
}

/// The provider of the demo company's past.
#[derive(Debug, Default)]
pub(super) struct DemoCards(Mutex<HashMap<String, Charged>>);

impl DemoCards {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Charged>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// That a payment of an earlier play was charged so much.
    pub(super) fn remember(&self, payment: PaymentId, total_cents: Cents) {
        self.with(|all| {
            all.entry(intent_of(payment)).or_insert_with(|| Charged {
                total_cents,
                refunds: Vec::new(),
            });
        });
    }

    /// What was to be charged for a payment, in cents.
    pub(super) fn charged(&self, payment: PaymentId) -> Cents {
        self.with(|all| {
            all.get(&intent_of(payment))
                .map_or(Cents::ZERO, |charged| charged.total_cents)
        })
    }

    /// Word that a card was charged.
    pub(super) fn succeeded(&self, payment: PaymentId, at: DateTime<Utc>) -> Notice {
        let fact = ProviderFact::Succeeded {
            received_cents: self.charged(payment),
            charge_id: Some(format!("ch_demo_{}", payment.0.simple())),
        };
        notice(payment, "payment_intent.succeeded", at, fact)
    }

    /// Word that the customer's bank said no; the customer tries again.
    pub(super) fn declined(&self, payment: PaymentId, at: DateTime<Utc>) -> Notice {
        let code = Some("card_declined".to_owned());
        notice(
            payment,
            "payment_intent.payment_failed",
            at,
            ProviderFact::Failed { code },
        )
    }

    /// Word that the customer's bank wants all of it back.
    pub(super) fn disputed(&self, payment: PaymentId, at: DateTime<Utc>) -> Notice {
        let fact = ProviderFact::DisputeOpened {
            dispute_id: dispute_of(payment),
            amount_cents: self.charged(payment),
            reason: Some("product_unacceptable".to_owned()),
        };
        notice(payment, "charge.dispute.created", at, fact)
    }

    /// Word of what the bank has decided.
    pub(super) fn decided(&self, payment: PaymentId, at: DateTime<Utc>, outcome: DisputeOutcome) -> Notice {
        let fact = ProviderFact::DisputeClosed {
            dispute_id: dispute_of(payment),
            amount_cents: self.charged(payment),
            outcome,
        };
        notice(payment, "charge.dispute.closed", at, fact)
    }
}

/// What ids of intents begin with.
const INTENT: &str = "pi_demo_";

fn intent_of(payment: PaymentId) -> String {
    format!("{INTENT}{}", payment.0.simple())
}

fn dispute_of(payment: PaymentId) -> String {
    format!("dp_demo_{}", payment.0.simple())
}

fn notice(payment: PaymentId, kind: &str, at: DateTime<Utc>, fact: ProviderFact) -> Notice {
    Notice {
        event_id: format!("evt_demo_{kind}_{}", payment.0.simple()),
        kind: kind.to_owned(),
        at,
        subject: Subject {
            object_id: None,
            intent_id: Some(intent_of(payment)),
            tenant: None,
            payment_id: Some(payment),
            amount_cents: None,
        },
        fact: Some(fact),
    }
}

#[async_trait]
impl PaymentGateway for DemoCards {
    async fn create_intent(&self, _: &str, ask: &IntentAsk) -> Result<CardIntent, GatewayError> {
        let id = intent_of(ask.payment_id);
        self.with(|all| {
            all.entry(id.clone()).or_insert_with(|| Charged {
                total_cents: ask.total_cents,
                refunds: Vec::new(),
            });
        });
        Ok(CardIntent {
            id,
            client_secret: None,
            tenant: Some(ask.tenant),
            payment_id: Some(ask.payment_id),
            fact: None,
        })
    }

    async fn intent(&self, id: &str) -> Result<CardIntent, GatewayError> {
        // A story that is played a second time asks for the intents of the first.
        if id.starts_with(INTENT) {
            Ok(CardIntent {
                id: id.to_owned(),
                client_secret: None,
                tenant: None,
                payment_id: None,
                fact: None,
            })
        } else {
            Err(unknown())
        }
    }

    async fn refund(&self, _: &str, ask: &RefundAsk) -> Result<ProviderRefund, GatewayError> {
        let refund = ProviderRefund {
            id: format!("re_demo_{}", ask.refund_id.0.simple()),
            ours: Some(ask.refund_id),
            amount_cents: ask.total_cents,
            seen: RefundSeen::Succeeded,
        };
        self.with(|all| {
            let charged = all.get_mut(&ask.intent_id).ok_or_else(unknown)?;
            if !charged.refunds.contains(&refund) {
                charged.refunds.push(refund.clone());
            }
            Ok(refund)
        })
    }

    async fn refunds(&self, intent_id: &str) -> Result<Vec<ProviderRefund>, GatewayError> {
        self.with(|all| all.get(intent_id).map(|charged| charged.refunds.clone()))
            .ok_or_else(unknown)
    }
}

fn unknown() -> GatewayError {
    GatewayError::Refused {
        code: "resource_missing".to_owned(),
    }
}
