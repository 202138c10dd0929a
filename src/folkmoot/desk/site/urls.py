"""Every address of the desk. A page is open to all only where its view says so."""

from __future__ import annotations

from allauth.account.views import LoginView, LogoutView
from django.urls import include, path

from folkmoot.desk.accounts import views as accounts
from folkmoot.desk.drafts import calendar as post_calendar
from folkmoot.desk.drafts import views as drafts
from folkmoot.desk.guidance import api
from folkmoot.desk.guidance import views as guidance
from folkmoot.desk.guidance.calendar import calendar
from folkmoot.desk.guidance.house_rules import edit_house_rules, house_rules
from folkmoot.desk.guidance.should import should_i_post
from folkmoot.desk.mailing import pages as mailing_pages
from folkmoot.desk.mailing import views as mailing
from folkmoot.desk.notices import views as notices
from folkmoot.desk.people import views as people
from folkmoot.desk.publishing import pages as publishing_pages
from folkmoot.desk.publishing import views as publishing
from folkmoot.desk.records import views as records
from folkmoot.desk.site import views as site

urlpatterns = [
    # Anyone
    path("", site.front, name="front"),
    path("feed.atom", publishing.feed, name="feed"),
    path("feed.rss", publishing.rss, name="rss"),
    path("posts/<str:key>/", publishing.feed_post, name="feed_post"),
    path("pictures/early/<str:name>", publishing.early_picture, name="early_picture"),
    path("pictures/<str:name>", publishing.public_picture, name="public_picture"),
    path("mail/<str:key>/", mailing.issue, name="mail_issue"),
    path("subscribe/", mailing.subscribe, name="subscribe"),
    path("subscribe/sent", mailing.subscribe_sent, name="subscribe_sent"),
    path("subscribe/confirm/<str:token>", mailing.confirm, name="confirm_subscription"),
    path("unsubscribe/<str:token>", mailing.unsubscribe, name="unsubscribe"),
    path("register/", records.register, name="register"),
    path("register/<str:entry_id>/", records.entry, name="register_entry"),
    path("register/<str:entry_id>.tlog-proof", records.proof, name="register_proof"),
    path("ledger/checkpoint", records.checkpoint, name="ledger_checkpoint"),
    path("ledger/checkpoint/<int:size>", records.old_checkpoint, name="ledger_old_checkpoint"),
    path("ledger/tile/<path:place>", records.tile, name="ledger_tile"),
    path("ledger/consistency", records.consistency, name="ledger_consistency"),
    path("ledger/stamps/<int:size>/<int:number>", records.stamp, name="ledger_stamp"),
    path("ledger/key", records.key, name="ledger_key"),
    path("guidance/", guidance.packs, name="guidance"),
    path("guidance/clause", guidance.go_to_clause, name="go_to_clause"),
    path("guidance/<str:pack>/", guidance.pack, name="pack"),
    path("guidance/<str:pack>/rules/", guidance.rules, name="pack_rules"),
    path("guidance/<str:pack>/rules/<path:rule>/", guidance.rule, name="pack_rule"),
    path("guidance/<str:pack>/overview/", guidance.overview, name="pack_overview"),
    path("guidance/<str:pack>/changes/", guidance.changes, name="pack_changes"),
    path("guidance/<str:pack>/<str:clause>/", guidance.clause, name="clause"),
    path("house-rules/", house_rules, name="house_rules"),
    path("should-i-post/", should_i_post, name="should_i_post"),
    path("api/check", api.check, name="api_check"),
    path("healthy", site.healthy, name="healthy"),
    # Signing in
    path("sign-in/", LoginView.as_view(), name="account_login"),
    path("sign-out/", LogoutView.as_view(), name="account_logout"),
    path("sign-in/help/", people.sign_in_help, name="account_signup"),
    path("sign-in/closed/", people.sign_in_closed, name="account_inactive"),
    path("sign-in/password/", people.sign_in_help, name="account_reset_password"),
    # Staff
    path("desk/", site.today, name="today"),
    path("desk/drafts/", site.posts, name="posts"),
    path("desk/drafts/new", drafts.new_draft, name="new_draft"),
    path("desk/drafts/check", drafts.check, name="check_words"),
    path("desk/drafts/<int:draft_id>", site.post, name="post"),
    path("desk/drafts/<int:draft_id>/edit", drafts.edit_draft, name="edit_draft"),
    path("desk/drafts/<int:draft_id>/follow/<str:kind>", publishing_pages.follow, name="follow"),
    path("desk/drafts/<int:draft_id>/repeat", post_calendar.repeat, name="repeat"),
    path("desk/drafts/<int:draft_id>/<str:verb>", drafts.take, name="take"),
    path("desk/signoff/<int:draft_id>", drafts.signoff, name="signoff"),
    path("desk/pictures/<str:sha256>", drafts.picture, name="picture"),
    path("desk/calendar/", post_calendar.calendar, name="post_calendar"),
    path("desk/calendar/periods", calendar, name="calendar"),
    path("desk/calendar/slots", post_calendar.slots_page, name="slots"),
    path("desk/calendar/move/<int:draft_id>", post_calendar.move, name="move_draft"),
    path(
        "desk/calendar/series/<int:series_id>/<str:verb>",
        post_calendar.take_series,
        name="series_take",
    ),
    path("desk/practice/", publishing.practice, name="practice"),
    path("desk/mailing/", mailing_pages.mailing, name="mailing"),
    path("desk/mailing/remove", mailing_pages.remove, name="mailing_remove"),
    path("desk/mailing/<str:key>", mailing_pages.decide, name="mailing_decide"),
    path("desk/accounts/", accounts.list_all, name="accounts"),
    path("desk/accounts/connect", accounts.choose, name="connect_account"),
    path("desk/accounts/connect/<str:channel>", accounts.connect, name="connect_channel"),
    path("desk/accounts/sign-in", accounts.sign_in, name="account_sign_in"),
    path("desk/accounts/callback", accounts.callback, name="account_callback"),
    path("desk/accounts/forget", accounts.forget, name="forget_tokens"),
    path("desk/accounts/<int:account_id>/<str:verb>", accounts.take, name="account_take"),
    path("desk/stop/", publishing_pages.stop, name="stop"),
    path("desk/stop/fence", publishing_pages.lift_fence, name="lift_fence"),
    path("desk/stop/<int:stop_id>/lift", publishing_pages.lift, name="lift_stop"),
    path("desk/deliveries/<int:delivery_id>", publishing_pages.decide, name="decide"),
    path("desk/alarms/<int:alarm_id>", publishing_pages.alarm, name="alarm"),
    path("desk/duty/", notices.duty, name="duty"),
    path("desk/duty/list", notices.duty_list, name="duty_list"),
    path("desk/notices/", notices.notices, name="notices"),
    path("desk/notices/add/<str:kind>", notices.add, name="add_notice_target"),
    path("desk/notices/<int:target_id>", notices.change, name="notice_target"),
    path("desk/notices/<int:target_id>/test", notices.send_test, name="notice_test"),
    path("desk/notices/<int:target_id>/remove", notices.remove, name="remove_notice_target"),
    path("desk/records/", include("folkmoot.desk.retention.urls")),
    path("desk/records/", include("folkmoot.desk.releases.urls")),
    path("desk/settings/", site.settings_page, name="settings"),
    path("desk/settings/house-rules", edit_house_rules, name="edit_house_rules"),
]
handler400 = "folkmoot.desk.site.views.unreadable"
handler403 = "folkmoot.desk.site.views.forbidden"
handler404 = "folkmoot.desk.site.views.not_found"
handler429 = "folkmoot.desk.site.views.too_often"
handler500 = "folkmoot.desk.site.views.broken"
