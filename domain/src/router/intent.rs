//! What a customer wants: the intent for which the most, and the strongest, cues are there.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Intent;
use super::words::Word;

use Intent::{Availability, Booking, Complaint, Dietary, Human, Location, Menu, Policy, Pricing};

/// Phrases that speak for an intent, and how much, parted by commas. A `*` ends a word of which only the beginning counts; a
/// word stands for its plural too; `#` is any number.
const CUES: &[(Intent, u32, &str)] = &[
    (
        Pricing,
        7,
        "how much, how much is, price, pricing, cost, quote, quotation, price list, per person, per head, per \
         adult, per kid, per child, travel fee, what do you charge, you charge, do you charge, cuanto, precio, \
         cheap*, expensive, afford*, price range, what are your rates, a head, by the person, prix, preis",
    ),
    (
        Pricing,
        5,
        "rate, fee, charge, discount, promo, promo code, coupon, budget, estimate, total, gratuity, tip, minimum \
         spend, minimum order, deal, specials, dollars, bucks, minimum, package, a person",
    ),
    (
        Booking,
        6,
        "book, booking, reserve, reservation, reserving, to schedule, schedule a, schedule an, reschedule, \
         rescheduling, sign up, sign me up, sign us up, lock in, hire, hiring, my booking, my reservation, person \
         count changed, guest count, head count, headcount, change my, change the date, move my, move our, move the \
         party, add more guests, add # more, confirm my, confirmation, reservar, count changed, place an order, \
         reservieren, update my, change our, my event, schedule",
    ),
    (
        Booking,
        4,
        "set up a date, planning a, want a party, have a party, throwing a, host a, want to have, secure, \
         interested in having, more guests, fewer guests, people are coming, more people, want you to come, come \
         cook, cook for us",
    ),
    (
        Menu,
        6,
        "menu, what food, what do you serve, what do you cook, food do you, what kind of food, protein, appetizer, \
         dessert, side dish, dishes, what comes with, what is included in the meal, entree, noodle, fried rice, \
         sushi, gyoza, egg roll, what can we eat, kinds of meat, choices, meat options, the food include, included \
         in the meal, yum yum, course",
    ),
    (
        Menu,
        4,
        "chicken, steak, shrimp, lobster, filet, filet mignon, scallop, salmon, rice, vegetable, sauce, food, meal, \
         sake, drink, salad, soup, meat, seafood, wagyu, beef, edamame, guys serve, eat, options",
    ),
    (
        Availability,
        7,
        "available, availability, any openings, opening, are you free, you free, free on, free in, still free, at # \
         open, open on, are you open, do you have room, time slot, slots, booked up, fully booked, booked out, \
         dates do you have, what dates, which dates, what days, which days, what times, what time can, disponible, \
         disponibilidad, dates open, dates are open, still open, have anything on, anything on, have space, opening \
         hours, verfugbar, soonest, earliest, last minute",
    ),
    (
        Availability,
        3,
        "this saturday, this sunday, this friday, this weekend, next saturday, next sunday, next friday, next \
         weekend, tonight, tomorrow, today, new years eve, christmas eve, thanksgiving, mothers day, mother day, \
         weekday, weekdays",
    ),
    (
        Location,
        7,
        "do you come to, come to my, come to our, come to, travel to, do you travel, do you serve in, do you \
         service, service area, serve my area, serve our area, my area, our area, area, how far, too far, distance, \
         location, located, where are you, based in, zip, zip code, zipcode, which cities, what cities, do you go \
         to, go out to, drive to, out to, miles, cover, you deliver, ubicacion, donde, address, radius, do you \
         cater in, cater in, do events in, do parties in, serve the, serve san, serve los, restaurant, bay area, \
         mile, county, to my house, my neighborhood, come out",
    ),
    (
        Dietary,
        9,
        "vegetarian*, vegan*, gluten, gluten free, celiac, coeliac, halal, kosher, allerg*, alergi*, dairy free, \
         lactose, dietary, diet, pescatarian*, keto, nut free, peanut*, tree nut, shellfish, nut, soy, msg, sesame, \
         intoleran*, tofu, does not eat, doesnt eat, dont eat, do not eat, cant eat, cannot eat, no pork, no beef, \
         pork, cross contamination, epipen, meatless, pregnant, low carb, diabetic, glutenfrei, vegano, \
         vegetariano, eggs, plant based, meat free",
    ),
    (
        Policy,
        8,
        "policy, policies, cancel*, refundable, non refundable, nonrefundable, refund, deposit back, terms, \
         contract, insur*, licensed, license, permit, rain*, weather, byob, own alcohol, bring alcohol, do you \
         bring, do we need to provide, do i need to provide, need to provide, what do you need from, supply, \
         equipment, setup, set up, clean up, cleanup, tables and chairs, plates, utensils, smoke, propane, indoors, \
         indoor, inside, zelle, venmo, credit card, pay cash, cash, payment methods, pay with, do you accept, do \
         you take, how long, deposit, due, no show, how late can i, how many days before, storm, liability, health \
         permit, food handler, covered patio, garage, hoa, grill size, outdoor, how big, refunds, cutoff, deadline, \
         guarantee, receipt, invoice, electricity, heater",
    ),
    (Policy, 12, "how much space, how much room"),
    (
        Complaint,
        9,
        "terrible, horrible, awful, disappoint*, rude, never showed, didnt show, not show up, no show chef, showed \
         up late, came late, arrived late, hours late, hour late, minutes late, was late, food was cold, was cold, \
         undercooked, overcooked, raw, burnt, burned, worst, ruined, unhappy, upset, disgust*, food poisoning, got \
         sick, ripped off, scam*, overcharged, charged twice, charged me twice, double charged, unprofessional, \
         dirty, not happy, not satisfied, never again, damaged, broke our, poor service, bad service, bad \
         experience, money back, wasted, waste of, ridiculous, furious, forgot our, forgot the, was missing, were \
         missing, no one showed, nobody showed, hair in, was wrong, messed up, mad, ran out, not what we ordered, \
         inedible, unsanitary, complaining, complain, very late, so late, hasnt arrived, has not arrived, isnt \
         here, still waiting, not good",
    ),
    (
        Human,
        9,
        "real people, your team call, call me back, give me a call, customer service, customer support, talk to the \
         owner, speak to the owner, speak with the owner, talk with the owner, talk to staff, speak with staff, \
         your phone number, a phone number, your number, not a bot, not a robot, stop the bot, hate bots, operator, \
         talk to the chef, speak to your team, talk to your team",
    ),
];

/// Of intents that as much speaks for, the one that says most.
const RANK: [Intent; 10] = [
    Complaint,
    Human,
    Dietary,
    Pricing,
    Policy,
    Availability,
    Location,
    Booking,
    Menu,
    Intent::Other,
];

/// A cue: its words, and what it speaks for.
struct Cue {
    words: Vec<&'static str>,
    intent: Intent,
    weight: u32,
}

/// The cues by the first letter of their first word.
static BY_LETTER: LazyLock<HashMap<char, Vec<Cue>>> = LazyLock::new(|| {
    let mut cues: HashMap<char, Vec<Cue>> = HashMap::new();
    for (intent, weight, phrases) in CUES {
        for phrase in phrases.split(',').map(str::trim) {
            let words: Vec<&'static str> = phrase.split(' ').collect();
            let letter = phrase.chars().next().unwrap_or(' ');
            cues.entry(letter).or_default().push(Cue {
                words,
                intent: *intent,
                weight: *weight,
            });
        }
    }
    cues
});

/// Whether a word of a message is one of a cue.
fn fits(word: &Word, cue: &str) -> bool {
    match cue.strip_suffix('*') {
        Some(beginning) => word.starts(beginning),
        None if cue == "#" => word.is_number(),
        None => word.is(cue),
    }
}

fn is_there(words: &[Word], place: usize, cue: &Cue) -> bool {
    let there = words.get(place..place + cue.words.len());
    there.is_some_and(|there| there.iter().zip(&cue.words).all(|(word, cue)| fits(word, cue)))
}

/// What a customer wants with the words of a message. Each cue counts once, however often it is said.
pub(super) fn of(words: &[Word]) -> Intent {
    let mut scores: HashMap<Intent, u32> = HashMap::new();
    let mut counted: Vec<&Cue> = Vec::new();
    for place in 0..words.len() {
        let Some(letter) = words[place].text().chars().next() else {
            continue;
        };
        for cue in BY_LETTER.get(&letter).into_iter().flatten() {
            if is_there(words, place, cue) && !counted.iter().any(|known| std::ptr::eq(*known, cue)) {
                counted.push(cue);
                // The first that is said weighs a little more: it is what the message is about.
                let first = u32::from(scores.is_empty());
                *scores.entry(cue.intent).or_default() += cue.weight + first;
            }
        }
    }
    let mut best = (Intent::Other, 0);
    for intent in RANK {
        let score = scores.get(&intent).copied().unwrap_or(0);
        if score > best.1 {
            best = (intent, score);
        }
    }
    best.0
}
