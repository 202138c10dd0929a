"""Pairs of posts as bodies make them, and whether a reader would say: you have told me that."""

ALIKE = [
    (
        "The library in Mill Road opens again on Monday at 9am. Everyone is welcome.",
        "The library in Mill Road opens again on Monday at 10am. Everyone is welcome!",
    ),
    (
        (
            "Flood warning for the river Stour at Blandford. Move your car and stay away "
            "from the water."
        ),
        (
            "Flood warning for the river Stour at Blandford. Please move your car and stay "
            "away from the water. https://example.gov.uk/stour"
        ),
    ),
    (
        "Applications for school places close on 15 January. Apply online in ten minutes.",
        (
            "REMINDER: Applications for school places close on 15 January. Apply online in "
            "ten minutes."
        ),
    ),
    (
        "Bin collections are a day late this week.",
        "Bin collections are a day late this week 🗑️",
    ),
    (
        "The A31 is closed.",
        "The A31 is closed!",
    ),
    (
        (
            "We are hiring! Come and work with us as a planning officer. Closing date 3 "
            "December. https://jobs.example.gov.uk/planning"
        ),
        (
            "We're hiring! Come and work with us as a planning officer. Closing date 3 "
            "December. https://jobs.example.gov.uk/planning?ref=2"
        ),
    ),
    (
        "Mae'r llyfrgell yn Heol y Felin yn agor eto ddydd Llun am 9yb. Croeso i bawb.",
        "Mae’r llyfrgell yn Heol y Felin yn agor eto ddydd Llun am 10yb. Croeso i bawb.",
    ),
    (
        (
            "Free flu jabs for over-65s at the town hall this Saturday from 9am to 4pm. No "
            "need to book."
        ),
        (
            "Free flu jabs for everyone over 65 at the town hall this Saturday from 9am to "
            "4pm. No need to book."
        ),
    ),
    (
        ("Our offices are closed on Monday 25 and Tuesday 26 December. In an emergency call 999."),
        (
            "Our offices are closed on Monday 25 December and Tuesday 26 December. In an "
            "emergency, call 999."
        ),
    ),
    (
        "The barrier at Teddington is closed today because the river is high.",
        "Update: the barrier at Teddington is closed today, because the river is very high.",
    ),
    (
        (
            "Council meets tonight at 7pm to decide the budget for next year. Watch live "
            "on our site."
        ),
        (
            "Council meets TONIGHT at 7pm to decide the budget for next year. Watch it "
            "live on our site."
        ),
    ),
    (
        "Road works on Station Road until Friday",
        "Road works on Station Road, until Friday.",
    ),
]
DIFFERENT = [
    (
        "The library in Mill Road opens again on Monday at 9am. Everyone is welcome.",
        ("The library in Mill Road closes on Saturday for repairs. Use the one in Church Street."),
    ),
    (
        (
            "Flood warning for the river Stour at Blandford. Move your car and stay away "
            "from the water."
        ),
        "Flood warning for the river Stour is lifted. Thank you to everyone who helped.",
    ),
    (
        "Applications for school places close on 15 January. Apply online in ten minutes.",
        "School places: offers go out on 1 March. You need not do anything until then.",
    ),
    (
        "The A31 is closed.",
        "The A31 is open again.",
    ),
    (
        "The A31 is closed.",
        "The A35 is closed at Bere Regis because of a burst water main.",
    ),
    (
        "We are hiring! Come and work with us as a planning officer. Closing date 3 December.",
        (
            "We are hiring! Come and work with us as a social worker. You need a degree "
            "and a driving licence."
        ),
    ),
    (
        "Bin collections are a day late this week.",
        ("Garden waste is not collected in December and January. Small brown bins go to the tip."),
    ),
    (
        "Free flu jabs for over-65s at the town hall this Saturday from 9am to 4pm.",
        ("Free parking at the town hall this Saturday for all who come to the Christmas market."),
    ),
    (
        ("Our offices are closed on Monday 25 and Tuesday 26 December. In an emergency call 999."),
        "Our offices are open again. Thank you for your patience over the holidays.",
    ),
    (
        (
            "Council meets tonight at 7pm to decide the budget for next year. Watch live "
            "on our site."
        ),
        "Council decided the budget for next year tonight. Band D tax goes up by 3 per cent.",
    ),
    (
        "Closed today",
        "The museum is closed today because of the storm, and so is the park.",
    ),
    (
        (
            "Do you know what to do when the siren sounds? Go in, close the windows, turn "
            "on the radio."
        ),
        (
            "Do you know who your councillor is? Put in your postcode and find out who "
            "speaks for you."
        ),
    ),
]
